/* Six hundred functions, some 40 KiB, called in a shuffled order through pointers. */
#include "console.h"

typedef uint32_t function(uint32_t);
#define ONE_(f, n) \
    static uint32_t f##n(uint32_t x) \
    { \
        x = x * (2 * n + 3) ^ x >> (n % 13 + 1); \
        return x & 1 << n % 9 ? x + n * 77u : x - (x >> (n % 5 + 3)); \
    }
#define ONE(f, n) ONE_(f, n)
#define TEN(f, d) \
    ONE(f, d##0) ONE(f, d##1) ONE(f, d##2) ONE(f, d##3) ONE(f, d##4) \
    ONE(f, d##5) ONE(f, d##6) ONE(f, d##7) ONE(f, d##8) ONE(f, d##9)
#define HUNDRED(f) \
    TEN(f, 1) TEN(f, 2) TEN(f, 3) TEN(f, 4) TEN(f, 5) \
    TEN(f, 6) TEN(f, 7) TEN(f, 8) TEN(f, 9) TEN(f, 10)
HUNDRED(a) HUNDRED(b) HUNDRED(c) HUNDRED(d) HUNDRED(e) HUNDRED(g)
#define NAME(f, n) f##n,
#define TEN_NAMES(f, d) \
    NAME(f, d##0) NAME(f, d##1) NAME(f, d##2) NAME(f, d##3) NAME(f, d##4) \
    NAME(f, d##5) NAME(f, d##6) NAME(f, d##7) NAME(f, d##8) NAME(f, d##9)
#define NAMES(f) \
    TEN_NAMES(f, 1) TEN_NAMES(f, 2) TEN_NAMES(f, 3) TEN_NAMES(f, 4) TEN_NAMES(f, 5) \
    TEN_NAMES(f, 6) TEN_NAMES(f, 7) TEN_NAMES(f, 8) TEN_NAMES(f, 9) TEN_NAMES(f, 10)
static function *functions[] = {NAMES(a) NAMES(b) NAMES(c) NAMES(d) NAMES(e) NAMES(g)};
#define COUNT (int)(sizeof functions / sizeof functions[0])

int main(void)
{
    uint32_t x = 1, seed = 3;
    for (int i = COUNT - 1; i > 0; i--) {
        int j = (int)(next_random(&seed) % (uint32_t)(i + 1));
        function *other = functions[i];
        functions[i] = functions[j], functions[j] = other;
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < COUNT; i++)
            x = functions[i](x);
    report("large", x);
    return 0;
}
