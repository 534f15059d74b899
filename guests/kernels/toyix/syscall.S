# System calls: the table, and the short ones.  Each is a function
# of the process's a0 to a2, and answers in a0.

    .text

# syscall(frame): serve the call that the frame's registers ask for.
syscall:
    PROLOGUE
    mv      s0, a0
    lw      t0, FRAME_A7(s0)
    li      t1, SYS_LAST
    addi    t2, t0, -1                  # 0 becomes too large
    bgeu    t2, t1, 1f
    la      t1, syscall_table
    slli    t2, t2, 2
    add     t1, t1, t2
    lw      t1, 0(t1)
    lw      a0, FRAME_A0(s0)
    lw      a1, FRAME_A1(s0)
    lw      a2, FRAME_A2(s0)
    jalr    t1
    j       2f
1:  li      a0, -1
2:  sw      a0, FRAME_A0(s0)
    EPILOGUE

    .section .rodata
    .balign 4
syscall_table:
    .word   sys_write
    .word   tty_read
    .word   sys_getpid
    .word   proc_fork
    .word   proc_exit
    .word   proc_exec
    .word   proc_wait
    .word   sys_sbrk
    .word   sys_sleep
    .word   sys_yield
    .word   sys_uptime

    .text

# write(1, buffer, length): piece by piece through the kernel's stack.  If the buffer
# reaches into the kernel, nothing is written; if it has a hole, what is before the hole.
sys_write:
    PROLOGUE
    addi    sp, sp, -64
    li      t0, 1
    bne     a0, t0, 4f
    mv      s0, a1                      # next byte
    mv      s1, a2                      # bytes left
    mv      s2, a2
    mv      a0, s0
    mv      a1, s1
    call    user_range
    bnez    a0, 4f
1:  beqz    s1, 3f
    li      s3, 64
    bgeu    s1, s3, 2f
    mv      s3, s1
2:  mv      a0, sp
    mv      a1, s0
    mv      a2, s3
    call    copy_in
    bnez    a0, 4f
    mv      a0, sp
    mv      a1, s3
    call    print_bytes
    add     s0, s0, s3
    sub     s1, s1, s3
    j       1b
3:  mv      a0, s2
    j       5f
4:  li      a0, -1
5:  addi    sp, sp, 64
    EPILOGUE

sys_getpid:
    lw      a0, P_PID(tp)
    ret

# sbrk(bytes): growing only moves the limit; pages come when they are touched.
# Shrinking frees whole pages.
sys_sbrk:
    PROLOGUE
    lw      s0, P_BREAK(tp)
    add     s1, s0, a0
    lw      t0, P_HEAP(tp)
    bltu    s1, t0, 4f
    li      t0, HEAP_LIMIT
    bgtu    s1, t0, 4f
    sw      s1, P_BREAK(tp)

    li      t0, PAGE_SIZE - 1           # the first page that is not needed
    add     s1, s1, t0
    not     t0, t0
    and     s1, s1, t0
1:  bgeu    s1, s0, 3f
    lw      a0, P_ROOT(tp)
    mv      a1, s1
    li      a2, 0
    call    pte_of
    beqz    a0, 2f
    mv      s2, a0
    READ_PTE s3, s2
    andi    t1, s3, PTE_V
    beqz    t1, 2f
    li      a1, 0
    SET_PTE a0, a1
    mv      a0, s1
    FLUSH_TLB_PAGE a0
    srli    a0, s3, PTE_PPN_SHIFT
    slli    a0, a0, PAGE_SHIFT
    call    page_free
2:  li      t0, PAGE_SIZE
    add     s1, s1, t0
    j       1b
3:  mv      a0, s0
    EPILOGUE
4:  li      a0, -1
    EPILOGUE

# sleep(ticks)
sys_sleep:
    PROLOGUE
    lw      t0, ticks
    add     a0, a0, t0
    call    sleep_until
    li      a0, 0
    EPILOGUE

sys_yield:
    PROLOGUE
    call    yield
    li      a0, 0
    EPILOGUE

sys_uptime:
    lw      a0, ticks
    ret
