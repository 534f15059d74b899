/* Two functions called from forty places, in turns and by chance. */
#include "console.h"

static __attribute__((noinline)) uint32_t mix(uint32_t x, uint32_t by)
{
    x ^= x << 7;
    return (x ^ x >> 9) + by;
}

static __attribute__((noinline)) uint32_t clip(uint32_t x, uint32_t most) { return x > most ? x - most : x; }

#define ONE(n) x = mix(x, n); if (x & 1 << n % 11) y += clip(x, n * 1000u);
#define FIVE(n) ONE((n)) ONE((n + 1)) ONE((n + 2)) ONE((n + 3)) ONE((n + 4))

int main(void)
{
    uint32_t x = 1, y = 0;
    for (int round = 0; round < ROUNDS; round++) {
        FIVE(1) FIVE(6) FIVE(11) FIVE(16) FIVE(21) FIVE(26) FIVE(31) FIVE(36)
    }
    report("callers", x ^ y);
    return 0;
}
