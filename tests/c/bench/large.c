/* Much code: 1024 functions, each some 25 instructions that differ, called in a random order. */
#include "console.h"

typedef uint32_t function(uint32_t, uint32_t);
#define F(n)                                                           \
    static uint32_t __attribute__((noinline)) f##n(uint32_t a, uint32_t b) \
    {                                                                  \
        a ^= b >> (1 + 0x##n % 13);                                    \
        if (a & (1u << (0x##n % 7)))                                   \
            a += b * (0x##n | 1);                                      \
        else                                                           \
            b = (b << 3 | b >> 29) ^ 0x##n;                            \
        if (a < b)                                                     \
            a = a * 5 + 0x##n;                                         \
        return (a << (1 + 0x##n % 11)) ^ (a >> 9) ^ (b + 0x##n * 2654435761u); \
    }
#define ROW(G, n) G(n##0) G(n##1) G(n##2) G(n##3) G(n##4) G(n##5) G(n##6) G(n##7) \
    G(n##8) G(n##9) G(n##a) G(n##b) G(n##c) G(n##d) G(n##e) G(n##f)
#define SQUARE(G, n) ROW(G, n##0) ROW(G, n##1) ROW(G, n##2) ROW(G, n##3) ROW(G, n##4) ROW(G, n##5) \
    ROW(G, n##6) ROW(G, n##7) ROW(G, n##8) ROW(G, n##9) ROW(G, n##a) ROW(G, n##b) ROW(G, n##c) \
    ROW(G, n##d) ROW(G, n##e) ROW(G, n##f)
#define NAME(n) f##n,

SQUARE(F, 0)
SQUARE(F, 1)
SQUARE(F, 2)
SQUARE(F, 3)
static function *const functions[] = {SQUARE(NAME, 0) SQUARE(NAME, 1) SQUARE(NAME, 2) SQUARE(NAME, 3)};

int main(void)
{
    uint32_t seed = 21, a = 1, b = 2;
    for (int round = 0; round < ROUNDS * 1000; round++) {
        uint32_t t = functions[next_random(&seed) % 1024](a, b);
        a = b;
        b = t;
    }
    report("large", a ^ b);
    return 0;
}
