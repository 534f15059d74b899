/* A binary search tree, grown and walked by recursive functions. */
#include "console.h"

struct node {
    uint32_t key;
    struct node *left, *right;
};
static struct node nodes[1024];
static int used;

static struct node *insert(struct node *at, uint32_t key)
{
    if (!at) {
        nodes[used] = (struct node){key, 0, 0};
        return &nodes[used++];
    }
    if (key < at->key)
        at->left = insert(at->left, key);
    else
        at->right = insert(at->right, key);
    return at;
}

static uint32_t walk(const struct node *at, uint32_t depth)
{
    return at ? walk(at->left, depth + 1) + (at->key ^ depth) + walk(at->right, depth + 1) : 1;
}

int main(void)
{
    uint32_t sum = 0, seed = 5;
    for (int round = 0; round < ROUNDS; round++) {
        struct node *root = 0;
        used = 0;
        for (int i = 0; i < 256; i++)
            root = insert(root, next_random(&seed));
        sum = sum * 31 + walk(root, 0);
    }
    report("tree", sum);
    return 0;
}
