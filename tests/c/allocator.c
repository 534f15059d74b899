/* A first-fit allocator with a coalescing free list, under a random load. */
#include "console.h"

typedef struct block {
    uint32_t size; /* of the payload, in bytes */
    struct block *next;
} block;

static _Alignas(16) uint8_t arena[1 << 16];
static block *free_list;

static void *allocate(uint32_t size)
{
    size = (size + 15) & ~15u;
    for (block **at = &free_list; *at; at = &(*at)->next) {
        block *b = *at;
        if (b->size < size)
            continue;
        if (b->size >= size + 16 + 16) {
            block *rest = (block *)((uint8_t *)b + 16 + size);
            rest->size = b->size - size - 16;
            rest->next = b->next;
            b->size = size;
            *at = rest;
        } else
            *at = b->next;
        return (uint8_t *)b + 16;
    }
    return 0;
}

static void join(block *b)
{
    if (b->next && (uint8_t *)b + 16 + b->size == (uint8_t *)b->next) {
        b->size += 16 + b->next->size;
        b->next = b->next->next;
    }
}

static void release(void *p)
{
    block *b = (block *)((uint8_t *)p - 16), *before = 0;
    block **at = &free_list;
    for (; *at && *at < b; at = &(*at)->next)
        before = *at;
    b->next = *at;
    *at = b;
    join(b);
    if (before)
        join(before);
}

int main(void)
{
    enum { SLOTS = 64 };
    static uint8_t *slot[SLOTS];
    static uint32_t length[SLOTS];
    uint32_t seed = 521288629u, failed = 0, wrong = 0, sum = 0;

    free_list = (block *)arena;
    free_list->size = sizeof arena - 16;
    free_list->next = 0;
    for (int round = 0; round < 250; round++) {
        uint32_t i = next_random(&seed) % SLOTS;
        if (slot[i]) {
            for (uint32_t k = 0; k < length[i]; k++)
                wrong += slot[i][k] != (uint8_t)(i * 7 + k);
            release(slot[i]);
            slot[i] = 0;
            continue;
        }
        length[i] = 1 + next_random(&seed) % 4000;
        slot[i] = allocate(length[i]);
        failed += !slot[i];
        if (slot[i])
            sum = sum * 33 + (uint32_t)(slot[i] - arena);
        for (uint32_t k = 0; slot[i] && k < length[i]; k++)
            slot[i][k] = (uint8_t)(i * 7 + k);
    }
    for (int i = 0; i < SLOTS; i++)
        if (slot[i])
            release(slot[i]);
    report("placements", sum);
    report("failed", failed);
    report("overwritten", wrong);
    report("one free block of", free_list->next ? 0 : free_list->size);
    return 0;
}
