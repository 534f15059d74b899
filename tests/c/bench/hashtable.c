/* An open-addressing hash table: insert, find, remove. */
#include "console.h"

enum { SIZE = 8192, KEYS = 4096 };
static uint32_t key[SIZE], value[SIZE];
static uint8_t state[SIZE]; /* 0 empty, 1 full, 2 removed */

static uint32_t hash(uint32_t k)
{
    k ^= k >> 16;
    k *= 0x7feb352du;
    k ^= k >> 15;
    k *= 0x846ca68bu;
    return k ^ k >> 16;
}

static int find(uint32_t k)
{
    uint32_t at = hash(k) % SIZE;
    for (; state[at]; at = (at + 1) % SIZE)
        if (state[at] == 1 && key[at] == k)
            return (int)at;
    return -1;
}

static void insert(uint32_t k, uint32_t v)
{
    uint32_t at = hash(k) % SIZE;
    while (state[at] == 1)
        at = (at + 1) % SIZE;
    key[at] = k;
    value[at] = v;
    state[at] = 1;
}

int main(void)
{
    uint32_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t seed = 1234567u + (uint32_t)round;
        for (int i = 0; i < SIZE; i++)
            state[i] = 0;
        for (uint32_t i = 0; i < KEYS; i++)
            insert(next_random(&seed), i);
        seed = 1234567u + (uint32_t)round;
        for (uint32_t i = 0; i < KEYS; i++) {
            int at = find(next_random(&seed));
            sum += at < 0 ? 0 : value[at];
            if (at >= 0 && i % 3 == 0)
                state[at] = 2;
            sum += find(i) >= 0;
        }
    }
    report("hashtable", sum);
    return 0;
}
