"""C test programs: which there are, and how one source becomes an ELF and a host program.

Must not know what runs them.  The compiler is clang, from the `ziglang` package.
"""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
RUNTIME = SOURCES / "rt"
ZIG = (sys.executable, "-m", "ziglang", "cc")
# -fwrapv: signed overflow is two's complement on both sides.
COMMON = (
    "-std=c11",
    "-O2",
    "-g0",
    "-fwrapv",
    "-fno-sanitize=all",
    "-Wall",
    "-Wextra",
    f"-I{RUNTIME}",
)
CROSS = (
    "-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+a",
    "-ffreestanding", "-nostdlib", "-static", "-fno-pic", "-fno-stack-protector",
    f"-Wl,-T,{RUNTIME / 'link.ld'}",
)  # fmt: skip


class Runtime(Enum):
    """Where a program runs: the source of its console, and the entry's options."""

    BARE = ("sbi.c", ())
    PAGED = ("sbi.c", ("-DPAGING",))
    ANY = ("htif.c", ())  # on Spike in M, on ours in S: the same ELF
    SPIKE = ("htif.c", ("-DMACHINE",))
    SPIKE_PAGED = ("htif.c", ("-DMACHINE", "-DPAGING"))


@dataclass(frozen=True)
class CProgram:
    """A source and how often it repeats its work: a few times in tests, more often in benches."""

    path: str
    test_rounds: int = 1
    bench_rounds: int = 1

    @property
    def name(self) -> str:
        return Path(self.path).stem


# Rounds make about 1 M instructions in tests, 100 M in benches.
BENCH = (
    CProgram("bench/fib.c", 5, 500),
    CProgram("bench/sieve.c", 1, 100),
    CProgram("bench/crc32.c", 5, 500),
    CProgram("bench/matrix.c", 1, 100),
    CProgram("bench/quicksort.c", 1, 100),
    CProgram("bench/hashtable.c", 1, 100),
    CProgram("bench/strsearch.c", 4, 400),
    CProgram("bench/chase.c", 50, 10000),
    CProgram("bench/sha256.c", 100, 10000),
    CProgram("bench/bytecode.c", 5, 500),
    CProgram("bench/tree.c", 1, 100),
    CProgram("bench/states.c", 15, 1500),
    CProgram("bench/memory.c", 20, 2000),
    CProgram("bench/wide.c", 50, 5000),
    CProgram("bench/division.c", 350, 35000),
    CProgram("bench/virtual.c", 40, 4000),
    CProgram("bench/large.c", 25, 2500),
    CProgram("bench/coremark.c", 10, 1000),
    CProgram("bench/dhrystone.c", 1500, 150000),
)
PROGRAMS = (
    CProgram("sorts.c"),
    CProgram("crc.c"),
    CProgram("allocator.c"),
    CProgram("parser.c"),
    CProgram("softdiv.c"),
    *BENCH,
)


def missing_compiler() -> str | None:
    """Why programs cannot be compiled here, or None."""
    if importlib.util.find_spec("ziglang") is None:
        return "the C compiler is missing: pip install ziglang"
    return None


def _run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr}")


def cross_compile(program: CProgram, runtime: Runtime, rounds: int, out: Path) -> Path:
    """The program as an RV32IMA ELF in directory `out`; made once."""
    elf = out / f"{program.name}-{runtime.name.lower()}-{rounds}.elf"
    if not elf.exists():
        console, options = runtime.value
        sources = [RUNTIME / "crt0.S", RUNTIME / console, SOURCES / program.path]
        builtins = _builtins(out)
        _run(*ZIG, *COMMON, *CROSS, *options, f"-DROUNDS={rounds}", *sources, builtins, "-o", elf)
    return elf


def _builtins(out: Path) -> Path:
    """memcpy and related functions, compiled so that they do not become calls of themselves."""
    obj = out / "builtins.o"
    if not obj.exists():
        _run(*ZIG, *COMMON, *CROSS[:-1], "-fno-builtin", "-c", RUNTIME / "builtins.c", "-o", obj)
    return obj


def host_output(program: CProgram, rounds: int, out: Path) -> str:
    """What the same source prints when it runs on the host."""
    binary = out / f"{program.name}-host-{rounds}"
    if not binary.exists():
        compiler = ("cc",) if shutil.which("cc") else ZIG
        source = SOURCES / program.path
        _run(*compiler, *COMMON, "-DHOSTED", f"-DROUNDS={rounds}", source, "-o", binary)
    return subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout


# -- the same programs as assembly, for our assembler --------------------------

LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")
_FOR_ASM = (
    "-std=gnu11", "-ffreestanding", "-fno-builtin", "-fno-pic", "-fno-stack-protector", "-fwrapv",
    "-w", f"-I{RUNTIME}", "-S",
)  # fmt: skip
_RV32 = ("-march=rv32ima", "-mabi=ilp32")
COMPILERS = {
    "zig": (*ZIG, *CROSS[:3], "-fno-sanitize=all"),
    "clang": ("clang", "--target=riscv32-unknown-elf", *_RV32),
    "gcc": ("riscv64-unknown-elf-gcc", *_RV32),
}
# A source is a whole program: entry, stack, then the compiler's output.
_ENTRY = """
    .section .text.start, "ax"
    .globl _start
_start:
    la      sp, stack_top
    la      t0, unexpected_trap
    csrw    stvec, t0
    call    main
    tail    end_program
    .balign 4
unexpected_trap:
    csrr    a0, scause
    addi    a0, a0, 0x40
    tail    end_program
    .bss
    .balign 16
    .zero   65536
stack_top:
    .include "{}"
"""


def missing(compiler: str) -> str | None:
    """Why a compiler of `COMPILERS` cannot be used here, or None."""
    if compiler == "zig":
        return missing_compiler()
    name = COMPILERS[compiler][0]
    return None if shutil.which(name) else f"{name} is not installed"


def as_assembly(program: CProgram, compiler: str, options: tuple[str, ...], out: Path) -> Path:
    """A source for our assembler that `.include`s the compiler's output for a program."""
    stem = "-".join((program.name, compiler, *(option.strip("-") for option in options)))
    parts = (RUNTIME / "sbi.c", RUNTIME / "builtins.c", SOURCES / program.path)
    whole = out / f"{stem}.c"
    whole.write_text("".join(f'#include "{part}"\n' for part in parts))
    rounds = f"-DROUNDS={program.test_rounds}"
    written = out / f"{stem}.s"
    _run(*COMPILERS[compiler], *_FOR_ASM, *options, rounds, whole, "-o", written)
    main = out / f"{stem}.S"
    main.write_text(_ENTRY.format(written.name))
    return main
