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
    """Under what a program runs: its console's source, and the entry's options."""

    BARE = ("sbi.c", ())
    PAGED = ("sbi.c", ("-DPAGING",))
    ANY = ("htif.c", ())  # on Spike in M, on ours in S: the same ELF
    SPIKE = ("htif.c", ("-DMACHINE",))
    SPIKE_PAGED = ("htif.c", ("-DMACHINE", "-DPAGING"))


@dataclass(frozen=True)
class CProgram:
    """A source and how often it repeats its work: a few times in tests, more in benches."""

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
    """memcpy and its kin, compiled so that the compiler does not make them call themselves."""
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
