/* A state machine that sorts the fields of a text into kinds of numbers: a switch a byte. */
#include "console.h"

enum { N = 4096 };
enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, WRONG };
static char text[N + 1];
static uint32_t ended[WRONG + 1], steps[WRONG + 1];

static int digit(char c) { return c >= '0' && c <= '9'; }

static enum state step(enum state state, char c)
{
    steps[state]++;
    switch (state) {
    case START: return digit(c) ? INTEGER : c == '-' || c == '+' ? SIGN : c == '.' ? POINT : WRONG;
    case SIGN: return digit(c) ? INTEGER : c == '.' ? POINT : WRONG;
    case INTEGER: return digit(c) ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case POINT: return digit(c) ? FRACTION : WRONG;
    case FRACTION: return digit(c) ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case EXPONENT: return digit(c) ? SCIENTIFIC : c == '-' || c == '+' ? EXPONENT_SIGN : WRONG;
    case EXPONENT_SIGN: return digit(c) ? SCIENTIFIC : WRONG;
    case SCIENTIFIC: return digit(c) ? SCIENTIFIC : WRONG;
    default: return WRONG;
    }
}

int main(void)
{
    static const char *const fields[] = {"5012", "+0.644", "-.5e-3", "1e9", "T0.1", "35.54400", "-874+"};
    uint32_t seed = 3, sum = 0;
    int at = 0;
    while (at < N - 16) {
        for (const char *field = fields[next_random(&seed) % 7]; *field; field++)
            text[at++] = *field;
        text[at++] = ',';
    }
    for (int round = 0; round < ROUNDS; round++) {
        enum state state = START;
        for (const char *c = text; *c; c++)
            if (*c == ',') {
                ended[state]++;
                state = START;
            } else {
                state = step(state, *c);
            }
        text[round * 61 % at] = "0,e"[round % 3];
    }
    for (int i = 0; i <= WRONG; i++)
        sum = sum * 31 + ended[i] * 7 + steps[i];
    report("states", sum);
    return 0;
}
