# The harness of the nano-benchmarks: an address space, the clock, and for each
#
#     nano <name> <iterations> <cycles, the empty loop's subtracted> [<param>]
#
# measurement one line. include/nano.inc says how a benchmark is written.

    # Text, constants and data are on pages of their own.  Otherwise a VMM that
    # protects pages with code would get an exit for each store to data on such a page.
    .section .rodata
    .balign 4096
    .bss
    .balign 4096

    .include "lib/boot.S"
    .include "lib/trap.S"
    .include "lib/console.S"
    .include "lib/panic.S"
    .include "lib/pages.S"
    .include "lib/paging.S"
    .include "lib/check.S"
    .include "kernels/toyix/vm.S"

    .text

# nano_init(): turns paging on, in an address space that has only the kernel yet.
nano_init:
    PROLOGUE
    call    memory_init
    call    vm_new
    beqz    a0, 1f
    sw      a0, nano_root, t0
    li      a1, 1
    call    satp_of
    call    vm_switch
    EPILOGUE
1:  PANIC   "out of pages"

# memory_init(): free pages, and paging in the kernel's own space.
memory_init:
    PROLOGUE
    la      t0, kernel_end
    li      t1, POOL
    bgtu    t0, t1, 1f
    li      a0, POOL
    li      a1, POOL_END
    call    page_init
    call    vm_init
    EPILOGUE
1:  PANIC   "the kernel's image reaches into the page pool"

# satp_of(root, asid)
satp_of:
    srli    a0, a0, PAGE_SHIFT
    slli    a1, a1, SATP_ASID_SHIFT
    or      a0, a0, a1
    li      t0, SATP_MODE_SV32
    or      a0, a0, t0
    ret

# nano_pte(address) -> its entry below nano_root; creates the table if necessary.
nano_pte:
    PROLOGUE
    mv      a1, a0
    lw      a0, nano_root
    li      a2, 1
    call    pte_of
    beqz    a0, 1f
    EPILOGUE
1:  PANIC   "out of pages"

# nano_map(address, page, flags): page 0 means a new page.
nano_map:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    bnez    s1, 1f
    call    page_alloc
    beqz    a0, 2f
    mv      s1, a0
1:  lw      a0, nano_root
    mv      a1, s0
    mv      a2, s1
    mv      a3, s2
    call    map_page
    bnez    a0, 2f
    mv      a0, s0
    FLUSH_TLB_PAGE a0
    EPILOGUE
2:  PANIC   "out of pages"

nano_nothing:
    ret

# nano_measure(row, param) -> what the operation answered when it was timed:
#   1. Run both once, untimed: then caches, TLBs, a translator's code and shadow tables
#      are warm, as in a kernel that has run for a while; reading the clock is warm, too.
#   2. Time the empty loop.
#   3. Time the operation, last: the caller checks its effects.
#   4. Print the difference.
nano_measure:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1

    lw      t0, ROW_PREPARE(s0)         # 1
    mv      a0, s1
    jalr    t0
    lw      a0, ROW_EMPTY(s0)
    lw      a1, ROW_COUNT(s0)
    mv      a2, s1
    call    nano_time
    lw      t0, ROW_PREPARE(s0)
    mv      a0, s1
    jalr    t0
    lw      a0, ROW_OPERATION(s0)
    lw      a1, ROW_COUNT(s0)
    mv      a2, s1
    call    nano_time

    lw      t0, ROW_PREPARE(s0)         # 2
    mv      a0, s1
    jalr    t0
    lw      a0, ROW_EMPTY(s0)
    lw      a1, ROW_COUNT(s0)
    mv      a2, s1
    call    nano_time
    mv      s2, a0
    mv      s3, a1

    lw      t0, ROW_PREPARE(s0)         # 3
    mv      a0, s1
    jalr    t0
    lw      a0, ROW_OPERATION(s0)
    lw      a1, ROW_COUNT(s0)
    mv      a2, s1
    call    nano_time

    sub     a2, a0, s2                  # 4
    sltu    t0, a0, s2
    sub     a3, a1, s3
    sub     a3, a3, t0
    lw      a0, ROW_NAME(s0)
    lw      a1, ROW_COUNT(s0)
    mv      a4, s1
    call    nano_report
    lw      a0, nano_answer
    EPILOGUE

# nano_time(function, count, param) -> a1:a0 the cycles that function(count, param)
# took, and a few for reading the clock, always the same number.
nano_time:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    READ_CYCLE s3, s4
    mv      a0, s1
    mv      a1, s2
    jalr    s0
    READ_CYCLE a2, a3
    sw      a0, nano_answer, t0
    sub     a0, a2, s3
    sltu    t0, a2, s3
    sub     a1, a3, s4
    sub     a1, a1, t0
    EPILOGUE

# nano_report(name, count, cycles, their upper half, param or 0)
nano_report:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    mv      s3, a3
    mv      s4, a4
    PRINT   "nano "
    mv      a0, s0
    call    print
    PRINT   " "
    mv      a0, s1
    call    print_number
    PRINT   " "
    mv      a0, s2
    mv      a1, s3
    call    print_signed64
    beqz    s4, 1f
    PRINT   " "
    mv      a0, s4
    call    print_number
1:  PRINT   "\n"
    EPILOGUE

# print_signed64(lower, upper): decimal.
#   1. Go on with the magnitude.
#   2. Divide by ten: the upper half at once, then the lower one bit by bit, the
#      quotient coming in from the right as the dividend leaves to the left.
#   3. The remainder is the next digit, last first.
print_signed64:
    PROLOGUE
    addi    sp, sp, -32                 # 19 digits, a sign and a zero byte
    addi    s0, sp, 31
    sb      zero, 0(s0)
    mv      s1, a0
    mv      s2, a1
    srli    s3, a1, 31
    beqz    s3, 1f                      # 1
    snez    t0, s1
    neg     s1, s1
    neg     s2, s2
    sub     s2, s2, t0

1:  li      t0, 10                      # 2
    remu    t1, s2, t0
    divu    s2, s2, t0
    li      t2, 32
2:  slli    t1, t1, 1
    srli    t3, s1, 31
    or      t1, t1, t3
    slli    s1, s1, 1
    bltu    t1, t0, 3f
    sub     t1, t1, t0
    ori     s1, s1, 1
3:  addi    t2, t2, -1
    bnez    t2, 2b

    addi    t1, t1, '0'                 # 3
    addi    s0, s0, -1
    sb      t1, 0(s0)
    or      t1, s1, s2
    bnez    t1, 1b
    beqz    s3, 4f
    li      t1, '-'
    addi    s0, s0, -1
    sb      t1, 0(s0)
4:  mv      a0, s0
    call    print
    addi    sp, sp, 32
    EPILOGUE

    .bss
    .balign 4
nano_root:                              # the space that benchmarks run in
    .space  4
nano_answer:                            # of the function timed last
    .space  4
    .text
