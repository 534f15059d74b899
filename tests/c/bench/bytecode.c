/* A small stack-machine interpreter: indirect jumps. */
#include "console.h"

enum { PUSH, LOAD, STORE, ADD, SUB, MUL, XOR, LESS, JUMP_IF, HALT };

/* i = 0; sum = 1; do { sum = sum * 3 ^ i; i = i + 1 } while (i < 1000) */
static const int16_t program[] = {
    PUSH, 0, STORE, 0, PUSH, 1, STORE, 1,
    LOAD, 1, PUSH, 3, MUL, LOAD, 0, XOR, STORE, 1, /* at 8 */
    LOAD, 0, PUSH, 1, ADD, STORE, 0,
    LOAD, 0, PUSH, 1000, LESS, JUMP_IF, 8,
    HALT,
};

static uint32_t run(const int16_t *code, uint32_t salt)
{
    uint32_t stack[16], vars[4] = {0, 0, salt, 0};
    int sp = 0, pc = 0;
    for (;;) {
        switch (code[pc++]) {
        case PUSH: stack[sp++] = (uint32_t)code[pc++]; break;
        case LOAD: stack[sp++] = vars[code[pc++]]; break;
        case STORE: vars[code[pc++]] = stack[--sp]; break;
        case ADD: sp--; stack[sp - 1] += stack[sp]; break;
        case SUB: sp--; stack[sp - 1] -= stack[sp]; break;
        case MUL: sp--; stack[sp - 1] *= stack[sp]; break;
        case XOR: sp--; stack[sp - 1] ^= stack[sp]; break;
        case LESS: sp--; stack[sp - 1] = stack[sp - 1] < stack[sp]; break;
        case JUMP_IF: pc = stack[--sp] ? code[pc] : pc + 1; break;
        default: return vars[1] ^ vars[2];
        }
    }
}

int main(void)
{
    uint32_t sum = 0;
    for (int round = 0; round < ROUNDS; round++)
        sum = sum * 31 + run(program, (uint32_t)round);
    report("bytecode", sum);
    return 0;
}
