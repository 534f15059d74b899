# Copying between the kernel and a process's memory, whose addresses cannot be trusted.
#
# An address at or above KERNEL_BASE is refused here, since S may access it.  Any
# other may fault: trap() sees that the pc is in this range, and either gives the process
# the page or makes the copy fail.

    .text

# IN_USER address, length: if not, jump to user_copy_refused.  Changes t0.  The
# length is checked first, so the sum of both cannot wrap.
.macro IN_USER address, length
    li      t0, KERNEL_BASE
    bltu    t0, \length, user_copy_refused
    sub     t0, t0, \length
    bltu    t0, \address, user_copy_refused
.endm

# user_range(process's address, length) -> 0, or -1 if some of it is the kernel's
user_range:
    IN_USER a0, a1
    li      a0, 0
    ret

# copy_in(kernel address, process's address, length) -> 0 or -1
copy_in:
    IN_USER a1, a2
    j       user_copy

# copy_out(process's address, kernel address, length) -> 0 or -1
copy_out:
    IN_USER a0, a2

user_copy:
    USER_ACCESS_BEGIN
    add     a2, a1, a2
user_copy_begin:
1:  bgeu    a1, a2, 2f
    lbu     t1, 0(a1)
    sb      t1, 0(a0)
    addi    a0, a0, 1
    addi    a1, a1, 1
    j       1b
2:
user_copy_end:
    USER_ACCESS_END
    li      a0, 0
    ret

user_copy_fault:
    USER_ACCESS_END
user_copy_refused:
    li      a0, -1
    ret

# copy_in_string(kernel address, process's address, size) -> 0, or -1 if it has
# no zero byte within size.  It copies byte by byte: the next page may not be there.
copy_in_string:
    PROLOGUE
    mv      s0, a0
    mv      s1, a1
    add     s2, a0, a2
1:  bgeu    s0, s2, 2f
    mv      a0, s0
    mv      a1, s1
    li      a2, 1
    call    copy_in
    bnez    a0, 2f
    lbu     t0, 0(s0)
    addi    s0, s0, 1
    addi    s1, s1, 1
    bnez    t0, 1b
    li      a0, 0
    EPILOGUE
2:  li      a0, -1
    EPILOGUE
