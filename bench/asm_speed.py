"""How many source lines the assembler takes in a second of CPU time, on a generated program.

Run `python bench/asm_speed.py [lines]`.  The program has the mix of a typical source:
arithmetic, loads and stores, branches, calls, labels, comments, data, macros.  Operands are
random, so that few lines are repeated.
"""

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

REGISTERS = "a0 a1 a2 a3 a4 a5 t0 t1 t2 s0 s1 s2 s3".split()


def generate(lines: int, seed: int = 1) -> str:
    """A program of about `lines` lines."""
    rng = random.Random(seed)

    def reg() -> str:
        return rng.choice(REGISTERS)

    def statement(block: int) -> str:
        kind = rng.random()
        if kind < 0.30:
            return (
                f"    {rng.choice(['add', 'sub', 'xor', 'and', 'sltu'])}  {reg()}, {reg()}, {reg()}"
            )
        if kind < 0.48:
            return f"    addi    {reg()}, {reg()}, {rng.randrange(-2048, 2048)}"
        if kind < 0.68:
            name = rng.choice(["lw", "sw", "lbu", "sb"])
            return f"    {name}   {reg()}, {4 * rng.randrange(64)}(sp)"
        if kind < 0.74:
            return f"    li      {reg()}, {rng.randrange(1 << 32):#x}"
        if kind < 0.78:
            return f"    mv      {reg()}, {reg()}   # copy"
        if kind < 0.88:
            return f"    {rng.choice(['bne', 'beq', 'bltu'])} {reg()}, {reg()}, .L{block}"
        if kind < 0.91:
            return f"    beqz    {reg()}, 1f"
        if kind < 0.94:
            return f"    call    f{rng.randrange(block + 1)}"
        if kind < 0.96:
            return f"    la      {reg()}, d{rng.randrange(block + 1)}"
        return "    # a line that explains what comes next"

    out = [
        ".macro PROLOGUE size",
        "    addi sp, sp, -\\size",
        "    sw ra, 0(sp)",
        ".endm",
        "_start:",
    ]
    block = 0
    while len(out) < lines:
        out += [f"f{block}:", "    PROLOGUE 16", f".L{block}:"]
        out += [statement(block) for _ in range(40)]
        out += [
            "1:  lw ra, 0(sp)",
            "    ret",
            "",
            ".data",
            f"d{block}: .word {block}, f{block}",
            ".text",
        ]
        block += 1
    return "\n".join(out) + "\n"


def main() -> None:
    from asm import assemble_text

    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    source = generate(lines)
    count = source.count("\n")
    times = []
    for _ in range(3):
        start = time.process_time()
        program = assemble_text(source)
        middle = time.process_time()
        elf = program.elf()
        end = time.process_time()
        times.append((end - start, middle - start))
    total, assembling = min(times)
    print(f"{count} lines, {len(elf)} bytes of ELF")
    print(f"assemble  {count / assembling:9.0f} lines/s  {assembling:.2f} s")
    print(f"with ELF  {count / total:9.0f} lines/s  {total:.2f} s  (best of {len(times)})")


if __name__ == "__main__":
    main()
