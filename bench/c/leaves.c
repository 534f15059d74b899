/* Small functions, each called from many places, as a kernel's are. */
#include "console.h"

#define APART __attribute__((noinline))
static APART uint32_t low(uint32_t x) { return x & 0xffff; }
static APART uint32_t high(uint32_t x) { return x >> 16; }
static APART uint32_t twist(uint32_t x) { return x ^ x << 5; }
static APART uint32_t join(uint32_t a, uint32_t b) { return twist(high(a) << 16 | low(b)); }
static APART uint32_t fold(uint32_t a) { return low(a) ^ high(a); }
static APART uint32_t even(uint32_t a) { return twist(a) + fold(a); }
static APART uint32_t odd(uint32_t a) { return join(a, low(a)) - high(a); }

int main(void)
{
    uint32_t a = 1, b = 2;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 64; i++) {
            a = join(a + fold(b), twist(b));
            b += a & 1 ? odd(a) : even(a);
        }
    report("leaves", a ^ b);
    return 0;
}
