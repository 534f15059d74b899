# Programs: how one gets from the table in the image into a process's memory.

    .text

# proc_exec(line) -> the new program's a0; or -1, and nothing has changed.  The
# line is in the process's memory: a name, spaces, and arguments.
proc_exec:
    PROLOGUE
    mv      a1, a0
    la      a0, exec_line
    li      a2, LINE_SIZE
    call    copy_in_string
    bnez    a0, 4f

    # Cut the name off; the arguments begin behind the spaces.
    la      s0, exec_line
    li      t1, ' '
1:  lbu     t0, 0(s0)
    beqz    t0, 3f
    beq     t0, t1, 2f
    addi    s0, s0, 1
    j       1b
2:  sb      zero, 0(s0)
    addi    s0, s0, 1
    lbu     t0, 0(s0)
    beq     t0, t1, 2b

3:  la      a0, exec_line
    call    program_find
    beqz    a0, 4f
    mv      a1, a0
    mv      a0, tp
    mv      a2, s0
    call    proc_load
    bnez    a0, 4f

    # The answer of a system call goes to a0, where the program expects its
    # arguments.  So the arguments are the answer.
    li      t0, P_FRAME
    add     t0, tp, t0
    lw      a0, FRAME_A0(t0)
    EPILOGUE
4:  li      a0, -1
    EPILOGUE

# program_find(name) -> its row in the table, or 0
program_find:
    la      t0, programs
1:  lw      t1, PROG_START(t0)
    beqz    t1, 4f
    addi    t1, t0, PROG_NAME
    mv      t2, a0
2:  lbu     t3, 0(t1)
    lbu     t4, 0(t2)
    bne     t3, t4, 3f
    beqz    t3, 5f
    addi    t1, t1, 1
    addi    t2, t2, 1
    j       2b
3:  addi    t0, t0, PROG_SIZE
    j       1b
4:  li      t0, 0
5:  mv      a0, t0
    ret

# proc_load(process, row, arguments) -> 0; or -1, and nothing has changed.  The
# process is the running one, or one that has not run yet.
#   1. Make a new address space, and copy the image into it: text, then data.
#   2. Make the top page of the stack, with the arguments at its end.
#   3. From here on nothing fails: free the old address space, use the new one.
#   4. Make a frame that starts the program at its beginning.
proc_load:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    call    vm_new                      # 1
    beqz    a0, 9f
    mv      s3, a0
    LAZY_ENTER

    li      s4, 0                       # offset in the image
1:  lw      t0, PROG_TEXT(s1)
    lw      t1, PROG_DATA(s1)
    add     t1, t0, t1
    bgeu    s4, t1, 3f
    li      s5, PTE_USER_TEXT
    bltu    s4, t0, 2f
    li      s5, PTE_USER_DATA
2:  call    page_alloc
    beqz    a0, 8f
    mv      a2, a0
    lw      a1, PROG_START(s1)
    add     a1, a1, s4
    call    page_move_in
    li      t0, PAGE_SIZE
    add     s4, s4, t0
    beqz    a0, 1b
    j       8f

3:  call    page_alloc                  # 2
    beqz    a0, 8f
    li      t0, PAGE_SIZE - LINE_SIZE
    add     t1, a0, t0
4:  lbu     t2, 0(s2)
    sb      t2, 0(t1)
    addi    s2, s2, 1
    addi    t1, t1, 1
    bnez    t2, 4b
    li      s4, STACK_TOP - PAGE_SIZE - USER_BASE
    li      s5, PTE_USER_DATA
    mv      a2, a0
    call    page_map_in
    bnez    a0, 8f
    LAZY_LEAVE

    lw      s5, P_ROOT(s0)              # 3: 0 if it has none yet
    mv      a0, s0
    mv      a1, s3
    call    vm_set
    bne     s0, tp, 5f
    lw      a0, P_SATP(s0)
    call    vm_switch
5:  mv      a0, s5
    call    vm_free                     # flushes, too: the ASID is the same
    fence.i                             # the text was stored as data

    sw      s1, P_PROGRAM(s0)
    lw      t1, PROG_TEXT(s1)
    li      t0, USER_BASE
    add     t0, t0, t1
    sw      t0, P_DATA(s0)
    lw      t1, PROG_DATA(s1)
    add     t0, t0, t1
    lw      t1, PROG_BSS(s1)
    add     t0, t0, t1
    sw      t0, P_HEAP(s0)
    sw      t0, P_BREAK(s0)

    li      t0, P_FRAME                 # 4
    add     t0, s0, t0
    addi    t1, t0, FRAME_RA            # clear x1 to x31: they must not show what was there before
    addi    t2, t0, FRAME_STATE
6:  sw      zero, 0(t1)
    addi    t1, t1, 4
    bltu    t1, t2, 6b
    li      t1, USER_BASE
    sw      t1, FRAME_PC(t0)
    li      t1, STACK_TOP - LINE_SIZE
    sw      t1, FRAME_SP(t0)
    sw      t1, FRAME_A0(t0)
    li      a0, 0
    EPILOGUE

8:  LAZY_LEAVE
    mv      a0, s3
    call    vm_free
9:  li      a0, -1
    EPILOGUE

# Two tails of proc_load, which use its registers: a2 is a page for offset s4 of the
# address space s3, with flags s5.  They answer 0, or -1 after they have freed the page.
# page_move_in first fills the page from a1.
page_move_in:
    PROLOGUE
    mv      s0, a2
    mv      a0, a2
    call    page_copy
    mv      a2, s0
    j       1f
page_map_in:
    PROLOGUE
    mv      s0, a2
1:  mv      a0, s3
    li      a1, USER_BASE
    add     a1, a1, s4
    mv      a3, s5
    call    map_page
    beqz    a0, 2f
    mv      a0, s0
    call    page_free
    li      a0, -1
2:  EPILOGUE

    .bss
exec_line:                              # exec never sleeps, so one line is enough
    .space  LINE_SIZE
