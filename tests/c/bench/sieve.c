/* The sieve of Eratosthenes: byte stores with a stride. */
#include "console.h"

enum { N = 65536 };
static uint8_t composite[N];

int main(void)
{
    uint32_t primes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++)
            composite[i] = 0;
        for (int i = 2; i * i < N; i++)
            if (!composite[i])
                for (int k = i * i; k < N; k += i)
                    composite[k] = 1;
        for (int i = 2; i < N; i++)
            primes += !composite[i];
    }
    report("primes", primes);
    return 0;
}
