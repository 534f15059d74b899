/* Objects of four classes, mixed: calls through tables of functions. */
#include "console.h"

struct shape;
struct methods {
    uint32_t (*area)(const struct shape *);
    void (*grow)(struct shape *, uint32_t);
};
struct shape {
    const struct methods *methods;
    uint32_t a, b;
};

static uint32_t square_area(const struct shape *s) { return s->a * s->a; }
static uint32_t box_area(const struct shape *s) { return s->a * s->b; }
static uint32_t wedge_area(const struct shape *s) { return s->a * s->b >> 1; }
static uint32_t ring_area(const struct shape *s) { return 3 * (s->a * s->a ^ s->b); }
static void grow_both(struct shape *s, uint32_t n) { s->a += n, s->b += n; }
static void grow_one(struct shape *s, uint32_t n) { s->a ^= n; }

static const struct methods classes[4] = {
    {square_area, grow_one}, {box_area, grow_both}, {wedge_area, grow_both}, {ring_area, grow_one},
};

int main(void)
{
    static struct shape shapes[256];
    uint32_t seed = 7, sum = 0;
    for (int i = 0; i < 256; i++)
        shapes[i] = (struct shape){&classes[next_random(&seed) & 3], (uint32_t)i, 3};
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < 256; i++) {
            struct shape *s = &shapes[i];
            sum = sum * 31 + s->methods->area(s);
            s->methods->grow(s, sum & 7);
        }
    report("virtual", sum);
    return 0;
}
