/* Quicksort of random words: unpredictable branches. */
#include "console.h"

enum { N = 4096 };
static uint32_t v[N];

static void sort(int low, int high)
{
    while (low < high) {
        uint32_t pivot = v[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        sort(low, j);
        low = i;
    }
}

int main(void)
{
    uint32_t seed = 99, sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++)
            v[i] = next_random(&seed);
        sort(0, N - 1);
        for (int i = 0; i < N; i++)
            sum = sum * 31 + v[i];
    }
    report("quicksort", sum);
    return 0;
}
