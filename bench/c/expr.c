/* A tree of expressions, evaluated by recursion and a switch. */
#include "console.h"

enum { NUMBER, NAME, ADD, SUB, MUL, AND, OR, LESS, NOT, COND };
struct node {
    uint32_t kind, value;
    const struct node *a, *b, *c;
};
enum { N = 400 };
static struct node nodes[N];
static uint32_t names[8];

static uint32_t eval(const struct node *n)
{
    switch (n->kind) {
    case NUMBER: return n->value;
    case NAME: return names[n->value];
    case ADD: return eval(n->a) + eval(n->b);
    case SUB: return eval(n->a) - eval(n->b);
    case MUL: return eval(n->a) * eval(n->b);
    case AND: return eval(n->a) & eval(n->b);
    case OR: return eval(n->a) | eval(n->b);
    case LESS: return eval(n->a) < eval(n->b);
    case NOT: return ~eval(n->a);
    default: return eval(n->a) & 1 ? eval(n->b) : eval(n->c);
    }
}

int main(void)
{
    uint32_t seed = 5, sum = 0;
    for (uint32_t i = 0; i < N; i++) {
        uint32_t from = i < 40 ? 0 : i - 40;
        struct node *n = &nodes[i];
        n->kind = i < 40 ? i & 1 : next_random(&seed) % 10;
        n->value = next_random(&seed) % 8;
        n->a = i ? &nodes[from + next_random(&seed) % (i - from)] : n;
        n->b = i ? &nodes[from / 2 + next_random(&seed) % (i - from / 2) ] : n;
        n->c = i ? &nodes[next_random(&seed) % i] : n;
    }
    for (int round = 0; round < ROUNDS; round++) {
        names[round & 7] = sum;
        sum = sum * 31 + eval(&nodes[60 + round % 60]);
    }
    report("expr", sum);
    return 0;
}
