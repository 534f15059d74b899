/* In the manner of Dhrystone: records, strings, small procedures, few loops. */
#include "console.h"

enum which { ONE, TWO, THREE, FOUR, FIVE };
struct record {
    struct record *next;
    enum which which, other;
    int32_t number;
    char text[31];
};
static struct record first, second;
static struct record *global;
static int32_t number, array[50], square[50][50];
static char letter_one, letter_two;
static int truth;

static int __attribute__((noinline)) same(const char *p, const char *q)
{
    while (*p && *p == *q)
        p++, q++;
    return *p - *q;
}

static void __attribute__((noinline)) copy(char *to, const char *from)
{
    while ((*to++ = *from++))
        ;
}

static enum which __attribute__((noinline)) choose(char p, char q) { return p != q ? ONE : TWO; }

static int __attribute__((noinline)) later(const char *p, const char *q)
{
    int at = 2;
    char found = 'A';
    while (at <= 2)
        if (choose(p[at], q[at + 1]) == ONE)
            found = 'A', at++;
    if (found >= 'W' && found < 'Z')
        at = 7;
    if (found == 'R')
        return 1;
    if (same(p, q) > 0) {
        number = at + 7;
        return 1;
    }
    return 0;
}

static void __attribute__((noinline)) turn(enum which in, enum which *out)
{
    *out = in == THREE ? in : FOUR;
    switch (in) {
    case ONE: *out = ONE; break;
    case TWO: *out = number > 100 ? ONE : FOUR; break;
    case THREE: *out = TWO; break;
    default: *out = THREE;
    }
}

static void __attribute__((noinline)) add(int32_t p, int32_t q, int32_t *sum) { *sum = q + p + 2; }

static void __attribute__((noinline)) fill(int32_t p, int32_t q)
{
    int32_t at = p + 5;
    array[at] = q;
    array[at + 1] = array[at];
    array[at + 30] = at;
    for (int32_t i = at; i <= at + 1; i++)
        square[at][i] = at;
    square[at][at - 1] += 1;
    square[at + 10][at] = array[at];
    number = 5;
}

static void __attribute__((noinline)) chase(struct record *at)
{
    struct record *next = at->next;
    *next = *global;
    at->number = 5;
    next->number = at->number;
    next->next = at->next;
    if (next->which == ONE) {
        next->number = 6;
        turn(at->other, &next->other);
        next->next = global->next;
        add(next->number, 10, &next->number);
    } else {
        *at = *at->next;
    }
}

int main(void)
{
    char one[31], two[31];
    int32_t p = 0, q, r = 0;
    enum which which;
    uint32_t sum = 0;
    global = &first;
    first = (struct record){&second, ONE, THREE, 40, "DHRYSTONE PROGRAM, SOME STRING"};
    copy(one, "DHRYSTONE PROGRAM, 1'ST STRING");
    for (int round = 0; round < ROUNDS; round++) {
        letter_one = 'A';
        truth = letter_one == 'A';
        letter_two = 'B';
        p = 2;
        q = 3;
        copy(two, "DHRYSTONE PROGRAM, 2'ND STRING");
        which = TWO;
        truth = !later(one, two);
        while (p < q) {
            r = 5 * p - q;
            add(p, q, &r);
            p++;
        }
        fill(p, r);
        chase(global);
        for (char c = 'A'; c <= letter_two; c++)
            if (which == choose(c, 'C')) {
                turn(ONE, &which);
                copy(two, "DHRYSTONE PROGRAM, 3'RD STRING");
            }
        q = q * p;
        p = q / r;
        q = 7 * (q - r) - p;
        sum = sum * 31 + (uint32_t)(p + q + r + number + truth) + second.which + (uint8_t)two[20];
    }
    report("dhrystone", sum);
    return 0;
}
