/* Blocks of memory copied, moved, filled, compared: loads and stores one after the other. */
#include "console.h"

enum { WORDS = 2048 };
static uint32_t a[WORDS], b[WORDS];

static void copy(uint32_t *to, const uint32_t *from, int n)
{
    for (; n >= 4; n -= 4, to += 4, from += 4) {
        uint32_t w = from[0], x = from[1], y = from[2], z = from[3];
        to[0] = w;
        to[1] = x;
        to[2] = y;
        to[3] = z;
    }
    while (n-- > 0)
        *to++ = *from++;
}

static void move_bytes(uint8_t *to, const uint8_t *from, int n)
{
    while (n-- > 0) {
        to[n] = from[n];
        __asm__ volatile(""); /* one byte at a time */
    }
}

static int compare(const uint8_t *p, const uint8_t *q, int n)
{
    for (; n > 0; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

int main(void)
{
    uint32_t seed = 17, sum = 0;
    for (int i = 0; i < WORDS; i++)
        a[i] = next_random(&seed);
    for (int round = 0; round < ROUNDS; round++) {
        int n = 1024 + round % 512;
        copy(b, a, WORDS);
        move_bytes((uint8_t *)b + 1, (uint8_t *)b, 2 * n);
        for (int i = 0; i < n / 4; i++)
            a[(n + i) % WORDS] = (uint32_t)round;
        sum += (uint32_t)compare((uint8_t *)a, (uint8_t *)b + 1, 4 * n);
        for (int i = 0; i < WORDS; i++)
            sum = (sum ^ b[i]) + 1;
    }
    report("memory", sum);
    return 0;
}
