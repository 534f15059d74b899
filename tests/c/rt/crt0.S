# Entry of a C program on the bare machine: in S, at _start.
#   -DPAGING   run under an identity map of 4 MiB superpages
#   -DMACHINE  enter from M, for emulators that start there: drop to S first
    .section .text.start, "ax"
    .globl _start
_start:
#ifdef MACHINE
    # S may touch all of physical memory: one PMP entry, NAPOT, the whole space.
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0x1f
    csrw    pmpcfg0, t0
    # mstatus.MPP = S (01), then mret into S.
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 11
    csrs    mstatus, t0
    la      t0, supervisor
    csrw    mepc, t0
    mret
    .balign 4
supervisor:
#endif
    la      sp, __stack_top
    # A trap means the program or the machine is wrong: end with a code of its own.
    la      t0, unexpected_trap
    csrw    stvec, t0
    # C wants .bss zero.
    la      t0, __bss_start
    la      t1, __bss_end
1:  bgeu    t0, t1, 2f
    sw      zero, 0(t0)
    addi    t0, t0, 4
    j       1b
2:
#ifdef PAGING
    # Entry i of the root table maps the 4 MiB at i << 22 to itself: i << 20 is its
    # frame's place in the entry, 0xcf is D A X W R V.
    la      t0, root_table
    li      t1, 0xcf
    li      t2, 1 << 20
    li      t3, 1024
3:  sw      t1, 0(t0)
    add     t1, t1, t2
    addi    t0, t0, 4
    addi    t3, t3, -1
    bnez    t3, 3b
    la      t0, root_table
    srli    t0, t0, 12
    li      t1, 1 << 31
    or      t0, t0, t1
    csrw    satp, t0
    sfence.vma
#endif
    call    main
    tail    end_program

    .balign 4
unexpected_trap:
    csrr    a0, scause
    addi    a0, a0, 0x40
    tail    end_program

#ifdef PAGING
    .section .bss.root_table, "aw", @nobits
    .balign 4096
root_table:
    .zero   4096
#endif
