"""The implementations that lock-step tests compare, each with the same small interface.

`run_user(program)` runs a straight user program from `CODE` to its end and returns its
registers and scratch memory.  Must not know what is compared.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from toyisa.tables.causes import Exc
from toyisa.tables.insns import BY_NAME
from toyisa.testing.model import Bus, Hart
from toyisa.testing.programs import SCRATCH_REG, SCRATCH_SIZE, Program

CODE = 0x80000000
SCRATCH = 0x80010000
RAM_SIZE = 1 << 17
PAD = CODE + RAM_SIZE - 4096  # no program's


@dataclass
class Outcome:
    """Registers x0..x31 and the scratch memory at a program's end."""

    regs: list[int]
    memory: bytes


def code_bytes(words: list[int]) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


def start_regs(program: Program) -> list[int]:
    """The program's registers, its scratch pointer in place."""
    regs = list(program.regs)
    regs[SCRATCH_REG] = SCRATCH + SCRATCH_SIZE // 2
    return regs


def model_hart(program: Program) -> Hart:
    """The model, loaded with `program`."""
    hart = Hart(Bus(RAM_SIZE), CODE)
    code = code_bytes(program.words)
    hart.bus.ram[: len(code)] = code
    at = SCRATCH - CODE
    hart.bus.ram[at : at + SCRATCH_SIZE] = program.memory
    hart.x = start_regs(program)
    return hart


class Model:
    """The plain-Python model."""

    def run_user(self, program: Program) -> Outcome:
        hart = model_hart(program)
        end = CODE + 4 * len(program.words)
        while hart.pc != end:
            fx = hart.step()
            if fx.trap or fx.exit:
                raise AssertionError(f"the program trapped: {fx}")
        at = SCRATCH - CODE
        return Outcome(hart.x, bytes(hart.bus.ram[at : at + SCRATCH_SIZE]))


class Unicorn:
    """QEMU's core, through unicorn; in M mode without translation, which no user instruction can
    notice.
    """

    def __init__(self) -> None:
        from unicorn import UC_ARCH_RISCV, UC_MODE_RISCV32, Uc
        from unicorn.riscv_const import UC_RISCV_REG_X0

        self._uc = Uc(UC_ARCH_RISCV, UC_MODE_RISCV32)
        self._uc.mem_map(CODE, RAM_SIZE)
        self._x0 = UC_RISCV_REG_X0

    def _forget_reservation(self) -> None:
        """Undo an lr.w that the last program left without its sc.w."""
        self._uc.mem_write(PAD, code_bytes([BY_NAME["sc.w"].encode(0, 0, 1)]))
        self._uc.reg_write(self._x0 + 1, PAD + 64)
        self._uc.emu_start(PAD, PAD + 4)

    def run_user(self, program: Program) -> Outcome:
        uc = self._uc
        code = code_bytes(program.words)
        uc.mem_write(CODE, code)
        uc.ctl_remove_cache(CODE, CODE + 0x10000)  # blocks of the program before
        uc.mem_write(SCRATCH, program.memory)
        self._forget_reservation()
        for number, value in enumerate(start_regs(program)):
            if number:
                uc.reg_write(self._x0 + number, value)
        uc.emu_start(CODE, CODE + len(code))
        regs = [uc.reg_read(self._x0 + number) & 0xFFFFFFFF for number in range(32)]
        return Outcome(regs, bytes(uc.mem_read(SCRATCH, SCRATCH_SIZE)))


class Core:
    """The machine of `toyisa`, in S with paging off; ebreak ends the program."""

    def __init__(self) -> None:
        from toyisa.core.tlb import reserve
        from toyisa.machine import Machine

        self._reserve = reserve
        self._machine = Machine(mem=1 << 20)
        self._machine.hart.root.deleg_exc = 0

    def load(self, program: Program):
        """The machine, about to run `program`."""
        m, hart = self._machine, self._machine.hart
        m.poke(CODE, code_bytes([*program.words, BY_NAME["ebreak"].encode()]))
        m.poke(SCRATCH, program.memory)
        hart.x[:32] = start_regs(program)
        hart.pc = CODE
        self._reserve(hart, -1)  # nor does a reservation outlive a program
        return m

    def run_user(self, program: Program) -> Outcome:
        m = self.load(program)
        hart = m.hart
        m.run(budget=len(program.words) + 1)
        end = CODE + 4 * len(program.words)
        if (int(hart.pc), int(hart.exit.cause)) != (end, Exc.BREAKPOINT):
            raise AssertionError(f"the program did not reach its end: {m.reason}")
        at = SCRATCH - CODE
        return Outcome(hart.x[:32].tolist(), m.ram[at : at + SCRATCH_SIZE].tobytes())
