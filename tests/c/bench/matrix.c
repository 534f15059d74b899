/* Integer matrix product: multiply and add over rows and columns. */
#include "console.h"

enum { N = 48 };
static int32_t a[N][N], b[N][N], c[N][N];

int main(void)
{
    uint32_t seed = 7, sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (int32_t)next_random(&seed) >> 20;
            b[i][j] = (int32_t)next_random(&seed) >> 20;
        }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                int32_t v = 0;
                for (int k = 0; k < N; k++)
                    v += a[i][k] * b[k][j];
                c[i][j] = v;
            }
        a[round % N][round * 5 % N] += c[round * 3 % N][round * 7 % N] & 15;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            sum = sum * 31 + (uint32_t)c[i][j];
    report("matrix", sum);
    return 0;
}
