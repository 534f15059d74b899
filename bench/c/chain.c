/* Twelve functions, each of which calls the next from two places, with registers saved on the way. */
#include "console.h"

static __attribute__((noinline)) uint32_t f0(uint32_t x, uint32_t y) { return x * 3 + y; }
#define NEXT(n, m) \
    static __attribute__((noinline)) uint32_t f##n(uint32_t x, uint32_t y) \
    { \
        if (x & 1 << n) \
            return f##m(x + n, y ^ x) + y; \
        return f##m(x ^ y, y + n) ^ x; \
    }
NEXT(1, 0) NEXT(2, 1) NEXT(3, 2) NEXT(4, 3) NEXT(5, 4) NEXT(6, 5)
NEXT(7, 6) NEXT(8, 7) NEXT(9, 8) NEXT(10, 9) NEXT(11, 10) NEXT(12, 11)

int main(void)
{
    uint32_t x = 1;
    for (int round = 0; round < ROUNDS; round++)
        x = f12(x, (uint32_t)round);
    report("chain", x);
    return 0;
}
