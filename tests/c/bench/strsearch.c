/* Substring search, plain and by Horspool's skip table. */
#include "console.h"

enum { N = 16384 };
static char text[N + 1];

static int plain(const char *word)
{
    int found = 0;
    for (int i = 0; text[i]; i++) {
        int k = 0;
        while (word[k] && text[i + k] == word[k])
            k++;
        found += !word[k];
    }
    return found;
}

static int horspool(const char *word)
{
    uint8_t skip[256];
    int m = 0, found = 0;
    while (word[m])
        m++;
    for (int i = 0; i < 256; i++)
        skip[i] = (uint8_t)m;
    for (int i = 0; i < m - 1; i++)
        skip[(uint8_t)word[i]] = (uint8_t)(m - 1 - i);
    for (int i = 0; i + m <= N; i += skip[(uint8_t)text[i + m - 1]]) {
        int k = m - 1;
        while (k >= 0 && text[i + k] == word[k])
            k--;
        found += k < 0;
    }
    return found;
}

int main(void)
{
    static const char *const words[] = {"abba", "caab", "dead", "abcabc"};
    uint32_t seed = 5, sum = 0;
    for (int i = 0; i < N; i++)
        text[i] = "abcde"[next_random(&seed) % 5];
    for (int round = 0; round < ROUNDS; round++) {
        const char *word = words[round % 4];
        sum = sum * 31 + (uint32_t)plain(word);
        sum = sum * 31 + (uint32_t)horspool(word);
        text[round * 37 % N] = "abcde"[round % 5];
    }
    report("strsearch", sum);
    return 0;
}
