# A firmware for QEMU's `virt` in M mode, just large enough to run our guests
# there: what toyisa's root answers on our machine, answered by somebody else's
# hart.  So QEMU tells whether a guest is right, and whether our machine is.
#
# It opens all memory to S, delegates what our machine delegates, enters S at
# 0x80000000 with a0 = 0 (hart) and a1 = 0 (no device tree), and answers:
#   legacy 0 set_timer, 1 putchar, 2 getchar, 8 shutdown
#   Base (probe and version), TIME, SRST, DBCN (write_byte); others: -2

    .equ UART, 0x10000000
    .equ UART_LSR, 5
    .equ FINISHER, 0x00100000
    .equ CLINT_MTIMECMP, 0x02004000
    .equ GUEST, 0x80000000

    .equ EXT_TIME, 0x54494d45
    .equ EXT_SRST, 0x53525354
    .equ EXT_DBCN, 0x4442434e

    .text
    .globl  _start
_start:
    la      t0, m_trap
    csrw    mtvec, t0
    la      t0, m_save
    csrw    mscratch, t0

    # One PMP region over all addresses: without it S may touch nothing.
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0x1f                    # NAPOT, X W R
    csrw    pmpcfg0, t0

    # Everything goes to S but its own ecall (9) and M's (11).
    li      t0, 0xb1ff
    csrw    medeleg, t0
    li      t0, 0x222
    csrw    mideleg, t0
    li      t0, 2                       # our machine enters S with scounteren.TM set
    csrw    scounteren, t0
    li      t0, 7
    csrw    mcounteren, t0
    csrw    satp, zero

    # mret to S at the guest's entry.
    li      t0, 0x1800
    csrc    mstatus, t0
    li      t0, 0x0800
    csrs    mstatus, t0
    li      t0, GUEST
    csrw    mepc, t0
    li      a0, 0
    li      a1, 0
    mret

# A trap to M: the timer, or ecall from S.
#   1. Free t0 to t2 in the save area.
#   2. Timer: hand it to S as STIP and be quiet until the next set_timer.
#   3. ecall: dispatch on a7; answer in a0, a1; go on behind it.
    .balign 4
m_trap:
    csrrw   sp, mscratch, sp            # 1
    sw      t0, 0(sp)
    sw      t1, 4(sp)
    sw      t2, 8(sp)
    csrr    t0, mcause
    bgez    t0, ecall_from_s

    li      t0, 1 << 5                  # 2
    csrs    mip, t0
    li      t0, 1 << 7
    csrc    mie, t0
    j       m_return

ecall_from_s:
    li      t1, 9                       # 3
    bne     t0, t1, die
    csrr    t0, mepc
    addi    t0, t0, 4
    csrw    mepc, t0

    beqz    a7, legacy_set_timer
    li      t0, 1
    beq     a7, t0, legacy_putchar
    li      t0, 2
    beq     a7, t0, legacy_getchar
    li      t0, 8
    beq     a7, t0, legacy_shutdown
    li      t0, 0x10
    beq     a7, t0, base
    li      t0, EXT_TIME
    beq     a7, t0, time
    li      t0, EXT_SRST
    beq     a7, t0, srst
    li      t0, EXT_DBCN
    beq     a7, t0, dbcn
not_supported:
    li      a0, -2
    li      a1, 0
m_return:
    lw      t0, 0(sp)
    lw      t1, 4(sp)
    lw      t2, 8(sp)
    csrrw   sp, mscratch, sp
    mret

time:
    bnez    a6, not_supported
legacy_set_timer:
    li      t0, CLINT_MTIMECMP          # upper half to its maximum first, so that
    li      t1, -1                      # no half-written value lies in the past
    sw      t1, 4(t0)
    sw      a0, 0(t0)
    sw      a1, 4(t0)
    li      t0, 1 << 5
    csrc    mip, t0
    li      t0, 1 << 7
    csrs    mie, t0
    li      a0, 0
    j       m_return

dbcn:
    li      t0, 2                       # console_write_byte
    bne     a6, t0, not_supported
legacy_putchar:
    li      t0, UART
1:  lbu     t1, UART_LSR(t0)
    andi    t1, t1, 0x20
    beqz    t1, 1b
    sb      a0, 0(t0)
    li      a0, 0
    j       m_return

legacy_getchar:
    li      t0, UART
    lbu     t1, UART_LSR(t0)
    andi    t1, t1, 1
    li      a0, -1
    beqz    t1, m_return
    lbu     a0, 0(t0)
    j       m_return

base:
    li      a1, 2 << 24                 # function 0: specification version 2.0
    li      a0, 0
    beqz    a6, m_return
    li      a1, 1                       # others: 1, as "is this extension there?"
    j       m_return

legacy_shutdown:
    li      a1, 0
srst:
    li      t0, FINISHER                # reason 0: pass; else fail with it as code
    li      t1, 0x5555
    beqz    a1, 1f
    slli    a1, a1, 16
    li      t1, 0x3333
    or      t1, t1, a1
1:  sw      t1, 0(t0)
2:  j       2b

die:
    li      a1, 99                      # a trap that M itself caused
    j       srst

    .bss
    .balign 16
m_save:
    .space  16
