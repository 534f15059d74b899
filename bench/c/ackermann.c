/* Ackermann's function: recursion thousands of calls deep, from three places. */
#include "console.h"

static uint32_t ackermann(uint32_t m, uint32_t n)
{
    if (!m)
        return n + 1;
    if (!n)
        return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

int main(void)
{
    uint32_t sum = 0;
    for (int round = 0; round < ROUNDS; round++)
        sum = sum * 31 + ackermann(2, 60 + (uint32_t)(round & 7)) + ackermann(3, 3);
    report("ackermann", sum);
    return 0;
}
