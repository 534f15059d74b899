/* Pointer chase through a random cycle of 1 MiB: every load waits for the one before. */
#include "console.h"

enum { N = 1 << 16 };
struct node {
    struct node *next;
    uint32_t value;
    uint32_t pad[2];
};
static struct node nodes[N];
static uint32_t order[N];

int main(void)
{
    uint32_t seed = 31337, sum = 0;
    for (uint32_t i = 0; i < N; i++)
        order[i] = i;
    for (uint32_t i = N - 1; i > 0; i--) {
        uint32_t k = next_random(&seed) % (i + 1), t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
    for (uint32_t i = 0; i < N; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % N]];
        nodes[order[i]].value = i;
    }
    struct node *at = nodes;
    for (int i = 0; i < ROUNDS * 1000; i++) {
        sum = (sum ^ at->value) + (sum >> 3);
        at = at->next;
    }
    report("chase", sum);
    return 0;
}
