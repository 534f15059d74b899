/* In the manner of CoreMark: a list that is sorted, reversed and searched, a small matrix, a
 * state machine over text, and a CRC of all that comes out. */
#include "console.h"

enum { ITEMS = 256, N = 10 };
struct item {
    struct item *next;
    int16_t value, index;
};
static struct item items[ITEMS];
static int16_t a[N][N], b[N][N];
static int32_t c[N][N];

static uint16_t crc16(uint32_t value, uint16_t crc)
{
    for (int i = 0; i < 16; i++, value >>= 1) {
        uint16_t carry = (value ^ crc) & 1;
        crc >>= 1;
        if (carry)
            crc ^= 0xa001;
    }
    return crc;
}

static int by_value(const struct item *p, const struct item *q) { return p->value - q->value; }
static int by_index(const struct item *p, const struct item *q) { return p->index - q->index; }

static struct item *sort(struct item *list, int (*order)(const struct item *, const struct item *))
{
    for (int width = 1;; width *= 2) { /* merges runs of `width` until there is one */
        struct item *p = list, *tail = 0;
        int merges = 0;
        for (list = 0; p; merges++) {
            struct item *q = p, *e;
            int left = 0, right = width;
            while (left < width && q)
                left++, q = q->next;
            while (left > 0 || (right > 0 && q)) {
                if (left == 0 || (right > 0 && q && order(p, q) > 0))
                    e = q, q = q->next, right--;
                else
                    e = p, p = p->next, left--;
                *(tail ? &tail->next : &list) = e;
                tail = e;
            }
            p = q;
        }
        tail->next = 0;
        if (merges <= 1)
            return list;
    }
}

static uint16_t lists(uint16_t crc, int round)
{
    struct item *list = 0, *turned = 0, *next;
    for (int i = 0; i < ITEMS; i++)
        items[i] = (struct item){list, (int16_t)(i * 7919 + round), (int16_t)i}, list = &items[i];
    list = sort(list, by_value);
    for (int wanted = 0; wanted < 16; wanted++)
        for (next = list; next; next = next->next)
            if (next->index == wanted * 13) {
                crc = crc16((uint32_t)next->value, crc);
                break;
            }
    for (; list; list = next)
        next = list->next, list->next = turned, turned = list;
    list = sort(turned, by_index);
    return crc16((uint32_t)list->value, crc);
}

static uint16_t matrices(uint16_t crc, int round)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = (int16_t)(i * j + round), b[i][j] = (int16_t)(i - j);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            c[i][j] = 0;
            for (int k = 0; k < N; k++)
                c[i][j] += a[i][k] * b[k][j];
            crc = crc16((uint32_t)(c[i][j] >> 2 & 0xff), crc);
        }
    return crc;
}

static uint16_t states(uint16_t crc, int round)
{
    static const char *const text[] = {"5012", "1.5e-3", "-874", "T0.3", "+.7e+2", "0.x"};
    for (int i = 0; i < 24; i++) {
        int state = 0;
        for (const char *at = text[(i + round) % 6]; *at && state != 4; at++)
            switch (state) {
            case 0: state = *at == '-' || *at == '+' ? 1 : *at == '.' ? 2 : *at < ':' ? 1 : 4; break;
            case 1: state = *at == '.' ? 2 : *at >= '0' && *at < ':' ? 1 : 4; break;
            case 2: state = *at == 'e' ? 3 : *at >= '0' && *at < ':' ? 2 : 4; break;
            default: state = *at == '-' || *at == '+' || *at < ':' ? 3 : 4;
            }
        crc = crc16((uint32_t)state, crc);
    }
    return crc;
}

int main(void)
{
    uint16_t crc = 0;
    for (int round = 0; round < ROUNDS; round++)
        crc = states(matrices(lists(crc, round), round), round);
    report("coremark", crc);
    return 0;
}
