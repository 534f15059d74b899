/* Division without a divide instruction: shift and subtract, and by reciprocals. */
#include "console.h"

struct pair {
    uint64_t quotient, remainder;
};

static struct pair divide_wide(uint64_t n, uint64_t d)
{
    struct pair r = {0, 0};
    for (int bit = 63; bit >= 0; bit--) {
        r.remainder = r.remainder << 1 | (n >> bit & 1);
        if (r.remainder >= d) {
            r.remainder -= d;
            r.quotient |= 1ull << bit;
        }
    }
    return r;
}

static uint32_t divide(uint32_t n, uint32_t d, uint32_t *remainder)
{
    uint32_t quotient = 0, bit = 1;
    while (d <= n && !(d & 0x80000000u)) {
        d <<= 1;
        bit <<= 1;
    }
    for (; bit; bit >>= 1, d >>= 1)
        if (n >= d) {
            n -= d;
            quotient |= bit;
        }
    *remainder = n;
    return quotient;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest;
        divide(a, b, &rest);
        a = b;
        b = rest;
    }
    return a;
}

int main(void)
{
    uint32_t seed = 5, sum = 0, rest;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t a = next_random(&seed), b = next_random(&seed) >> (round & 15);
        struct pair wide = divide_wide((uint64_t)a << 20 | b, b | 1);
        sum += divide(a, b | 1, &rest) + rest + gcd(a, b | 1);
        sum = sum * 31 + (uint32_t)wide.quotient + (uint32_t)wide.remainder;
    }
    report("division", sum);
    return 0;
}
