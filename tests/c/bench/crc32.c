/* CRC-32 by table: dependent loads. */
#include "console.h"

static uint32_t table[256];
static uint8_t data[16384];

int main(void)
{
    uint32_t seed = 1, crc = ~0u;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;
        for (int k = 0; k < 8; k++)
            v = v & 1 ? v >> 1 ^ 0xedb88320u : v >> 1;
        table[i] = v;
    }
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)next_random(&seed);
    for (int round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < sizeof data; i++)
            crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
    report("crc32", ~crc);
    return 0;
}
