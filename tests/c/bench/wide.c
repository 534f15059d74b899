/* Arithmetic of 64 bits in registers of 32: carries, shifts across words, long products. */
#include "console.h"

static uint64_t next_wide(uint64_t *state) /* xorshift64* */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

static uint64_t fnv(const uint8_t *data, int n)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (int i = 0; i < n; i++)
        hash = (hash ^ data[i]) * 0x100000001b3ull;
    return hash;
}

static uint64_t power(uint64_t base, uint32_t exponent)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

int main(void)
{
    uint8_t data[256];
    uint64_t state = 88172645463325252ull, low = 0, high = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 256; i++)
            data[i] = (uint8_t)(next_wide(&state) >> 40);
        for (int i = 0; i < 64; i++) {
            uint64_t more = power(state | 1, data[i]);
            low += more;
            high += (low < more) + ((int64_t)more >> (data[i] & 63));
        }
        low ^= fnv(data, 256);
    }
    report("low", (uint32_t)(low >> 32 ^ low));
    report("high", (uint32_t)(high >> 32 ^ high));
    return 0;
}
