/* Four sorting algorithms on the same data must agree. */
#include "console.h"

enum { N = 1500 };
static int32_t source[N], work[N], merged[N];

static void insertion(int32_t *a, int n)
{
    for (int i = 1; i < n; i++) {
        int32_t v = a[i];
        int j = i;
        for (; j > 0 && a[j - 1] > v; j--)
            a[j] = a[j - 1];
        a[j] = v;
    }
}

static void shell(int32_t *a, int n)
{
    for (int gap = n / 2; gap; gap /= 2)
        for (int i = gap; i < n; i++) {
            int32_t v = a[i];
            int j = i;
            for (; j >= gap && a[j - gap] > v; j -= gap)
                a[j] = a[j - gap];
            a[j] = v;
        }
}

static void sift(int32_t *a, int root, int n)
{
    for (int child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && a[child + 1] > a[child])
            child++;
        if (a[root] >= a[child])
            return;
        int32_t v = a[root];
        a[root] = a[child];
        a[child] = v;
    }
}

static void heap(int32_t *a, int n)
{
    for (int i = n / 2; i-- > 0;)
        sift(a, i, n);
    for (int end = n; end-- > 1;) {
        int32_t v = a[0];
        a[0] = a[end];
        a[end] = v;
        sift(a, 0, end);
    }
}

static void merge(int32_t *a, int n)
{
    if (n < 2)
        return;
    int half = n / 2;
    merge(a, half);
    merge(a + half, n - half);
    int i = 0, j = half, k = 0;
    while (k < n)
        merged[k++] = j == n || (i < half && a[i] <= a[j]) ? a[i++] : a[j++];
    for (k = 0; k < n; k++)
        a[k] = merged[k];
}

static void run(const char *name, void (*sort)(int32_t *, int))
{
    uint32_t sum = 0;
    for (int i = 0; i < N; i++)
        work[i] = source[i];
    sort(work, N);
    for (int i = 0; i < N; i++)
        sum = sum * 31 + (uint32_t)work[i];
    for (int i = 1; i < N; i++)
        if (work[i - 1] > work[i])
            put_str("out of order\n");
    report(name, sum);
}

int main(void)
{
    uint32_t seed = 2463534242u;
    for (int i = 0; i < N; i++)
        source[i] = (int32_t)next_random(&seed);
    run("insertion", insertion);
    run("shell", shell);
    run("heap", heap);
    run("merge", merge);
    return 0;
}
