/* Cyclic redundancy checks of three widths, bit by bit, with their catalogue check values. */
#include "console.h"

static uint32_t reflect(uint32_t v, int bits)
{
    uint32_t r = 0;
    for (int i = 0; i < bits; i++)
        r |= (v >> i & 1) << (bits - 1 - i);
    return r;
}

static uint32_t crc(int bits, uint32_t poly, uint32_t init, int reflected, uint32_t out,
                    const uint8_t *data, int n)
{
    uint32_t mask = bits == 32 ? 0xffffffffu : (1u << bits) - 1;
    uint32_t v = init;
    for (int i = 0; i < n; i++) {
        uint32_t byte = reflected ? reflect(data[i], 8) : data[i];
        v ^= byte << (bits - 8);
        for (int k = 0; k < 8; k++)
            v = (v >> (bits - 1) & 1 ? v << 1 ^ poly : v << 1) & mask;
    }
    return (reflected ? reflect(v, bits) : v) ^ out;
}

int main(void)
{
    static uint8_t data[2000];
    const uint8_t *check = (const uint8_t *)"123456789";
    uint32_t seed = 88172645u;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)next_random(&seed);
    report("crc8 check (f4)", crc(8, 0x07, 0, 0, 0, check, 9));
    report("crc16 check (29b1)", crc(16, 0x1021, 0xffff, 0, 0, check, 9));
    report("crc32 check (cbf43926)", crc(32, 0x04c11db7, ~0u, 1, ~0u, check, 9));
    report("crc8", crc(8, 0x07, 0, 0, 0, data, sizeof data));
    report("crc16", crc(16, 0x1021, 0xffff, 0, 0, data, sizeof data));
    report("crc32", crc(32, 0x04c11db7, ~0u, 1, ~0u, data, sizeof data));
    return 0;
}
