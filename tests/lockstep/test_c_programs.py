"""Compiled C: the machine prints what the same source prints on the host."""

import struct

import pytest

from tests.cprograms import (
    PROGRAMS,
    Runtime,
    cross_compile,
    host_output,
    missing_compiler,
)
from toyisa.tables.causes import Exc
from toyisa.testing.model import Bus, Hart
from toyisa.testing.model.bus import RAM_BASE

pytestmark = pytest.mark.skipif(missing_compiler() is not None, reason=str(missing_compiler()))

BUDGET = 20_000_000
PT_LOAD = 1
A0, A7, PUTCHAR = 10, 17, 1


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Where this session's programs are compiled to, each once."""
    return tmp_path_factory.mktemp("cprograms")


@pytest.mark.parametrize("runtime", [Runtime.BARE, Runtime.PAGED], ids=lambda r: r.name.lower())
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_same_output_as_on_the_host(built, program, runtime):
    from toyisa.machine import Exit, Machine

    m = Machine()
    m.load(cross_compile(program, runtime, program.test_rounds, built))
    reason = m.run(budget=BUDGET)
    assert (reason, m.code) == (Exit.HALTED, 0)
    assert m.output().decode() == host_output(program, program.test_rounds, built)


def run_on_model(elf: bytes) -> str:
    """Run on the model; SBI's putchar and shutdown are all that it answers."""
    hart = Hart(Bus(1 << 20))
    table, count = struct.unpack_from("<I", elf, 28)[0], struct.unpack_from("<H", elf, 44)[0]
    for n in range(count):
        kind, at, va, _, length = struct.unpack_from("<5I", elf, table + 32 * n)
        if kind == PT_LOAD:
            hart.bus.ram[va - RAM_BASE : va - RAM_BASE + length] = elf[at : at + length]
    while True:
        fx = hart.step()
        if fx.exit is None:
            continue
        assert fx.exit[0] == Exc.ECALL_S
        if hart.x[A7] != PUTCHAR:
            return hart.bus.console.decode()
        hart.bus.console.append(hart.x[A0] & 0xFF)
        hart.pc += 4


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.name == "parser"], ids=["parser"])
def test_the_model_too(built, program):
    elf = cross_compile(program, Runtime.PAGED, 1, built).read_bytes()
    assert run_on_model(elf) == host_output(program, 1, built)
