/* Doubly recursive Fibonacci: calls and returns. */
#include "console.h"

static uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(void)
{
    uint32_t sum = 0;
    volatile uint32_t n = 20; /* not known to the compiler */
    for (int i = 0; i < ROUNDS; i++)
        sum += fib(n);
    report("fib", sum);
    return 0;
}
