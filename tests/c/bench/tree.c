/* A treap: insert, find and remove by recursion; pointers and unpredictable branches. */
#include "console.h"

enum { N = 2048 };
struct node {
    struct node *left, *right;
    uint32_t key, priority;
};
static struct node nodes[N];

static struct node *merge(struct node *a, struct node *b)
{
    if (!a)
        return b;
    if (!b)
        return a;
    if (a->priority > b->priority) {
        a->right = merge(a->right, b);
        return a;
    }
    b->left = merge(a, b->left);
    return b;
}

/* Keys below `key` to *low, the others to *high. */
static void split(struct node *t, uint32_t key, struct node **low, struct node **high)
{
    if (!t) {
        *low = *high = 0;
    } else if (t->key < key) {
        *low = t;
        split(t->right, key, &t->right, high);
    } else {
        *high = t;
        split(t->left, key, low, &t->left);
    }
}

static const struct node *find(const struct node *t, uint32_t key)
{
    while (t && t->key != key)
        t = key < t->key ? t->left : t->right;
    return t;
}

static uint32_t depth(const struct node *t)
{
    uint32_t left, right;
    if (!t)
        return 0;
    left = depth(t->left);
    right = depth(t->right);
    return 1 + (left > right ? left : right);
}

int main(void)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t seed = 77 + round;
        struct node *root = 0, *low, *high, *rest;
        for (int i = 0; i < N; i++) {
            nodes[i] = (struct node){0, 0, next_random(&seed) % 8192, next_random(&seed)};
            split(root, nodes[i].key, &low, &high);
            root = merge(merge(low, &nodes[i]), high);
        }
        for (uint32_t key = 0; key < 8192; key += 3)
            sum += find(root, key) != 0;
        for (uint32_t key = 0; key < 8192; key += 64) {
            split(root, key, &low, &high);
            split(high, key + 32, &high, &rest);
            root = merge(low, rest);
        }
        sum = sum * 31 + depth(root);
    }
    report("tree", sum);
    return 0;
}
