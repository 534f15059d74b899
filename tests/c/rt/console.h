/* What a test program may call: text out.  The same source runs on the host
 * (-DHOSTED) and on the machine, and must print the same. */
#ifndef CONSOLE_H
#define CONSOLE_H
#include <stddef.h>
#include <stdint.h>

#ifdef HOSTED
#include <stdio.h>
static inline void put_char(char c) { putchar(c); }
#else
void put_char(char c);
#endif

static inline void put_str(const char *s)
{
    while (*s)
        put_char(*s++);
}

static inline void put_hex(uint32_t v)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        put_char("0123456789abcdef"[v >> shift & 15]);
}

static inline void put_int(int32_t v)
{
    char digits[11];
    int n = 0;
    uint32_t u = v < 0 ? -(uint32_t)v : (uint32_t)v;
    if (v < 0)
        put_char('-');
    do
        digits[n++] = (char)('0' + u % 10);
    while (u /= 10);
    while (n)
        put_char(digits[--n]);
}

/* One `name value` line, the value in hex: how every program reports. */
static inline void report(const char *name, uint32_t v)
{
    put_str(name);
    put_char(' ');
    put_hex(v);
    put_char('\n');
}

/* The programs' source of data: xorshift, the same on both sides. */
static inline uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

#endif
