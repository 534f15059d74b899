/* An interpreter with a function for each operation, called through a table. */
#include "console.h"

struct machine {
    uint32_t a, b, counter;
    int pc;
};

static void op_add(struct machine *m) { m->a += m->b, m->pc++; }
static void op_mix(struct machine *m) { m->a ^= m->a << 7, m->pc++; }
static void op_swap(struct machine *m) { uint32_t t = m->a; m->a = m->b, m->b = t, m->pc++; }
static void op_step(struct machine *m) { m->b += 0x9e3779b9, m->pc++; }
static void op_less(struct machine *m) { m->b = m->a < m->b, m->pc++; }
static void op_rotate(struct machine *m) { m->a = m->a >> 5 | m->a << 27, m->pc++; }
static void op_loop(struct machine *m) { m->pc = --m->counter ? 0 : m->pc + 1; }

static void (*const operations[])(struct machine *) = {
    op_add, op_mix, op_swap, op_step, op_less, op_rotate, op_loop,
};
static const uint8_t program[] = {0, 1, 2, 3, 0, 5, 1, 3, 2, 4, 0, 1, 3, 6, 7};

int main(void)
{
    uint32_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct machine m = {(uint32_t)round, 1, 100, 0};
        while (program[m.pc] != 7)
            operations[program[m.pc]](&m);
        sum = sum * 31 + (m.a ^ m.b);
    }
    report("threaded", sum);
    return 0;
}
