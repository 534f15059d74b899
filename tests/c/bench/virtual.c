/* Calls through tables of functions, as of objects of several classes in one list. */
#include "console.h"

struct shape;
struct class {
    uint32_t (*area)(const struct shape *);
    void (*grow)(struct shape *, uint32_t);
    uint32_t (*corners)(void);
};
struct shape {
    const struct class *class;
    uint32_t a, b, c;
};

static uint32_t square_area(const struct shape *s) { return s->a * s->a; }
static uint32_t oblong_area(const struct shape *s) { return s->a * s->b; }
static uint32_t triangle_area(const struct shape *s) { return (s->a * s->b) >> 1; }
static uint32_t trapezoid_area(const struct shape *s) { return ((s->a + s->b) * s->c) >> 1; }
static void grow_one(struct shape *s, uint32_t by) { s->a += by; }
static void grow_two(struct shape *s, uint32_t by) { s->a += by, s->b ^= by; }
static void grow_all(struct shape *s, uint32_t by) { s->a += by, s->b ^= by, s->c -= by; }
static uint32_t three(void) { return 3; }
static uint32_t four(void) { return 4; }

static const struct class classes[] = {
    {square_area, grow_one, four},
    {oblong_area, grow_two, four},
    {triangle_area, grow_two, three},
    {trapezoid_area, grow_all, four},
};

enum { N = 512 };
static struct shape shapes[N];

int main(void)
{
    uint32_t seed = 9, sum = 0;
    for (int i = 0; i < N; i++)
        shapes[i] = (struct shape){&classes[next_random(&seed) % 4], seed & 63, seed >> 8 & 63, 7};
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (int i = 0; i < N; i++) {
            struct shape *s = &shapes[i];
            sum += s->class->area(s) * s->class->corners();
            s->class->grow(s, (round & 3) + 1);
        }
    report("virtual", sum);
    return 0;
}
