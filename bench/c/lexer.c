/* A scanner as a state machine: a switch on state and class of each character. */
#include "console.h"

enum { SPACE, NAME, NUMBER, TEXT, ESCAPE, SLASH, COMMENT };
static const char text[] =
    "static uint32_t walk(const node *at, int d) { // depth\n"
    "  if (at->key == 0x7f12 && d < 100) return say(\"a \\\"b\\\" c\", 42) / 3;\n"
    "  for (i = 0; i <= 99; i++) total += at[i] * (17 - d); // sum\n"
    "}\n";

static int class_of(int c)
{
    switch (c) {
    case ' ': case '\n': return 0;
    case '"': return 1;
    case '\\': return 2;
    case '/': return 3;
    case '_': return 4;
    default:
        if (c >= '0' && c <= '9')
            return 5;
        return (c | 32) >= 'a' && (c | 32) <= 'z' ? 4 : 6;
    }
}

int main(void)
{
    uint32_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int state = SPACE;
        for (const char *at = text; *at; at++) {
            int class = class_of(*at);
            switch (state) {
            case NAME:
                if (class == 4 || class == 5)
                    break;
                sum = sum * 31 + NAME, state = SPACE; /* fall through */
            case SPACE:
                state = class == 4 ? NAME : class == 5 ? NUMBER : class == 1 ? TEXT
                        : class == 3 ? SLASH : SPACE;
                break;
            case NUMBER:
                if (class != 5 && class != 4)
                    sum = sum * 31 + NUMBER, state = SPACE;
                break;
            case TEXT: state = class == 1 ? SPACE : class == 2 ? ESCAPE : TEXT; break;
            case ESCAPE: state = TEXT; break;
            case SLASH: state = class == 3 ? COMMENT : SPACE; break;
            default: state = *at == '\n' ? SPACE : COMMENT;
            }
            sum += (uint32_t)state;
        }
    }
    report("lexer", sum);
    return 0;
}
