/* A recursive-descent parser and evaluator of integer expressions. */
#include "console.h"

static const char *at;
static const char *error;

static int32_t expression(void);

static void skip(void)
{
    while (*at == ' ')
        at++;
}

static int accept(char c)
{
    skip();
    if (*at != c)
        return 0;
    at++;
    return 1;
}

static int32_t primary(void)
{
    skip();
    if (accept('(')) {
        int32_t v = expression();
        if (!accept(')'))
            error = "missing )";
        return v;
    }
    if (accept('-'))
        return (int32_t)-(uint32_t)primary();
    if (accept('~'))
        return ~primary();
    if (*at < '0' || *at > '9') {
        error = "number expected";
        return 0;
    }
    uint32_t v = 0;
    while (*at >= '0' && *at <= '9')
        v = v * 10 + (uint32_t)(*at++ - '0');
    return (int32_t)v;
}

static int32_t term(void)
{
    int32_t v = primary();
    for (;;) {
        if (accept('*'))
            v = (int32_t)((uint32_t)v * (uint32_t)primary());
        else if (accept('/') || accept('%')) {
            char op = at[-1];
            int32_t w = primary();
            if (w == 0) {
                error = "division by zero";
                w = 1;
            }
            v = op == '/' ? v / w : v % w;
        } else
            return v;
    }
}

static int32_t expression(void)
{
    int32_t v = term();
    for (;;) {
        if (accept('+'))
            v = (int32_t)((uint32_t)v + (uint32_t)term());
        else if (accept('-'))
            v = (int32_t)((uint32_t)v - (uint32_t)term());
        else
            return v;
    }
}

int main(void)
{
    static const char *const lines[] = {
        "1 + 2 * 3", "(1 + 2) * 3", "-7 / 2", "-7 % 2", "7 / -2", "~0 - ~1",
        "((((((1))))))", "2 * (3 + 4) * (5 + 6) - 7 % 4", "1000000 * 1000000",
        "1 +", "(1 + 2", "5 / (3 - 3)", "100 - 10 - 1", "12 34", "",
    };
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        at = lines[i];
        error = 0;
        int32_t v = expression();
        skip();
        if (!error && *at)
            error = "trailing text";
        put_str(lines[i]);
        put_str(" = ");
        if (error)
            put_str(error);
        else
            put_int(v);
        put_char('\n');
    }
    return 0;
}
