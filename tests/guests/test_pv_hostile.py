"""Patched kernels that are hostile, or only broken, end with a message or at their budget."""

import pytest

import asm
import guests
from toyisa.machine import Exit
from toyisa.tables.levels import Profile
from vmm.fuzz import framecheck
from vmm.machine import VirtualMachine

HEAD = """
    .include "include/pvops.inc"
    .include "include/call.inc"
    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .text
trap:
    ret                                 # whatever it was: again
main:
"""
SOON = """
    rdtime  a0
    addi    a0, a0, 2
    li      a1, 0
    HYPERCALL HYP_SET_TIMER
"""
HARM = {
    "entry_unmapped": """
    li      a0, 0x1000
    la      a1, pv_ranges
    HYPERCALL HYP_SET_TRAP
    ebreak
""",
    "entry_in_the_window": """
    li      a0, 0xfffff800
    la      a1, pv_ranges
    HYPERCALL HYP_SET_TRAP
    ebreak
""",
    "all_is_critical": f"""
    la      t0, ranges
    la      t1, end
    sw      t0, 0(t0)
    li      t2, -4
    sw      zero, 8(t0)
    sw      t2, 12(t0)
    mv      a1, t0
    la      a0, trap_entry
    HYPERCALL HYP_SET_TRAP
    TIMER_IRQ_UNMASK
    {SOON}
    IRQ_ENABLE
end:
1:  j       1b
    .bss
ranges: .space 16
    .text
""",
    "words_are_garbage": f"""
    TIMER_IRQ_UNMASK
    li      s0, 0x12345
1:  slli    t0, s0, 13
    xor     s0, s0, t0
    srli    t0, s0, 17
    xor     s0, s0, t0
    slli    t0, s0, 5
    xor     s0, s0, t0
    .irp word, VIF, PENDING, STATUS, SPILL, FRAMES
    sw      s0, PV_\\word(zero)
    xor     s0, s0, sp
    .endr
    {SOON}
    j       1b
""",
    "sret_anywhere": """
    li      s0, 0x12345
1:  slli    t0, s0, 13
    xor     s0, s0, t0
    srli    t0, s0, 17
    xor     s0, s0, t0
    csrw    sepc, s0
    csrw    sscratch, sp
    sw      s0, PV_STATUS(zero)
    sret
""",
    "iret_anywhere": """
    li      s0, 0x12345
    la      a0, main
    la      a1, pv_ranges
    HYPERCALL HYP_SET_TRAP
    slli    t0, s1, 13
    xor     s1, s1, t0
    addi    s1, s1, 77
    csrw    sepc, s1
    sw      s1, PV_STATUS(zero)
    sw      s1, PV_VIF(zero)
    HYPERCALL HYP_IRET
""",
    "tables_and_no_rest": """
    la      s0, page
1:  mv      a0, s0
    li      a1, HYP_OPEN
    HYPERCALL HYP_PIN_TABLE
    sw      zero, 0(s0)                 # faults, and is tried again
    j       1b
    .bss
    .balign 4096
page:
    .space  4096
    .text
""",
    "privileged": """
    csrw    stvec, zero
    csrw    satp, zero
    sfence.vma
    csrsi   sstatus, 2
    wfi
    probe.w t0, sp
    j       main
""",
}


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("harm", HARM)
def test_harm_is_contained(harm, profile):
    program = asm.assemble_text(HEAD + HARM[harm], include_dirs=[guests.ROOT],
                                defines=guests.BUILDS["pv"])  # fmt: skip
    machine = VirtualMachine(engine="pv", mem=4 << 20, profile=profile, scatter=2)
    machine.load(program.elf())
    machine.end_input()
    end = machine.run(budget=300_000)
    assert end in (Exit.FATAL, Exit.BUDGET, Exit.IDLE)
    if end is not Exit.BUDGET:
        assert machine.reason
    assert machine.instret <= 300_000
    framecheck.check(machine)
    root = machine.host.hart.root
    assert (int(root.s_limit), int(root.deleg_exc), int(root.deleg_int)) == (0xFFFFF000, 1 << 8, 0)


def test_u_reads_the_time_where_the_bare_machine_lets_it():
    machine = VirtualMachine(engine="pv")
    machine.load(asm.assemble_text(HEAD + "    ret\n", include_dirs=[guests.ROOT],
                                   defines=guests.BUILDS["pv"]).elf())  # fmt: skip
    assert machine.host.hart.csr.scounteren == machine.hart.csr.scounteren == 2
