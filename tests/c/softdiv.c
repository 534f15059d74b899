/* Division and multiplication by shifts, against what the hardware answers. */
#include "console.h"

static uint32_t divide(uint32_t a, uint32_t b, uint32_t *rest)
{
    uint32_t q = 0, r = 0;
    for (int i = 31; i >= 0; i--) {
        uint32_t carry = r >> 31;
        r = r << 1 | (a >> i & 1);
        if (carry || r >= b) {
            r -= b;
            q |= 1u << i;
        }
    }
    *rest = r;
    return q;
}

static uint64_t multiply(uint32_t a, uint32_t b)
{
    uint64_t sum = 0, wide = a;
    for (; b; b >>= 1, wide <<= 1)
        if (b & 1)
            sum += wide;
    return sum;
}

int main(void)
{
    uint32_t seed = 362436069u, wrong = 0, sum = 0;
    for (int i = 0; i < 2000; i++) {
        uint32_t a = next_random(&seed), b = next_random(&seed) >> (i % 31), rest;
        if (!b)
            b = 1;
        uint32_t q = divide(a, b, &rest);
        volatile uint32_t va = a, vb = b; /* the hardware is to do it */
        wrong += q != va / vb || rest != va % vb;
        wrong += multiply(a, b) != (uint64_t)va * vb;
        int32_t sa = (int32_t)va, sb = (int32_t)(vb | 1);
        if (sa != INT32_MIN || sb != -1)
            wrong += (sa / sb) * sb + sa % sb != sa;
        wrong += (uint32_t)((int64_t)sa * sb >> 32) + (sb < 0 ? (uint32_t)sa : 0)
                 != (uint32_t)((int64_t)sa * (uint64_t)(uint32_t)sb >> 32);
        sum = sum * 31 + q + rest;
    }
    report("sum", sum);
    report("wrong", wrong);
    return 0;
}
