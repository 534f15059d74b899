# toyix: a small Unix-like kernel.
#
# Processes with address spaces of their own, preempted by the timer; memory
# filled with zeros on demand; eleven system calls; programs from a table in the
# kernel's image.  The kernel itself is never preempted: the timer may interrupt
# it, but only U, or a process that sleeps, gives up the hart.
#
# Read in this order: lib/trap.S, toyix/trap.S, sched.S, proc.S, vm.S, exec.S.

    .include "include/pvops.inc"
    .include "include/call.inc"
    .include "include/toyix.inc"
    .include "include/syscalls.inc"

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/timer.S"
    .include "lib/pages.S"
    .include "lib/paging.S"

    .include "kernels/toyix/trap.S"
    .include "kernels/toyix/sched.S"
    .include "kernels/toyix/proc.S"
    .include "kernels/toyix/life.S"
    .include "kernels/toyix/vm.S"
    .include "kernels/toyix/usercopy.S"
    .include "kernels/toyix/exec.S"
    .include "kernels/toyix/syscall.S"
    .include "kernels/toyix/tty.S"
    .include "kernels/toyix/programs.S"

    .text

# main(): set up memory, make the first process, start the clock, schedule.
main:
    la      t0, kernel_end
    li      t1, POOL
    bgtu    t0, t1, 1f

    # The device tree lies at the end of RAM.  With less than 8 MiB the pool ends
    # before it, with room for the page tables that a paravirtual guest begins with.
    li      t0, POOL_END
    li      t1, END_ROOM
    sub     t1, a1, t1
    srli    t1, t1, PAGE_SHIFT
    slli    t1, t1, PAGE_SHIFT
    bgeu    t1, t0, 2f
    sw      t1, pool_end, t0
2:  li      a0, POOL
    lw      a1, pool_end
    call    page_init
    lw      t0, page_count
    sw      t0, boot_pages, t1          # machine_end checks that these come back

    call    vm_init
    PRINT   "toyix: boot\n"
    call    proc_first
    li      a0, TICK
    call    timer_in
    TIMER_IRQ_UNMASK
    j       scheduler
1:  PANIC   "the kernel's image reaches into the page pool"

# machine_end(status): init has ended, so the machine ends.  Every page that
# was taken since boot must be free again: the kernel may not lose one.
#   1. Leave the caller's address space and its stack: both are freed.
#   2. Free every process that is left.
#   3. Count the free pages.
machine_end:
    mv      s0, a0
    IRQ_DISABLE
    lw      a0, kernel_satp             # 1
    call    vm_switch
    la      sp, boot_stack_top

    la      s1, procs                   # 2
    li      s2, NPROC
1:  lw      s3, 0(s1)
    beqz    s3, 2f
    lw      a0, P_ROOT(s3)
    call    vm_free
    mv      a0, s3
    call    proc_free
2:  addi    s1, s1, 4
    addi    s2, s2, -1
    bnez    s2, 1b

    lw      s1, page_count              # 3
    lw      t0, boot_pages
    bne     s1, t0, 3f
    PRINT   "pages: "
    mv      a0, s1
    call    print_number
    PRINT   " free, as at boot\n"
    mv      a0, s0
    SHUTDOWN a0
3:  PANIC   "pages lost"

text_end:

    .bss
    .balign 4
boot_pages:
    .space  4
    .balign 16
kernel_end:
