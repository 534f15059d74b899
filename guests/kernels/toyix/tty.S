# Reading lines from the console.
#
# A byte is echoed when it is read, not when it is typed: input that was typed ahead
# waits in the console's own queue.  So the screen shows a session in its order,
# and shows the same session however fast the input came.

    .equ CTRL_D, 4
    .equ BACKSPACE, 8
    .equ NEWLINE, 10
    .equ RETURN, 13
    .equ DELETE, 127

    .text

# tty_read(0, buffer, length) -> bytes of the next line, its newline included;
# 0 at the end of input, which is a ctrl-D at the start of a line; -1 for a bad
# buffer, or when another process is reading.  What does not fit is lost.
#   1. Take bytes until the line is complete.  There is no interrupt for input:
#      look again after each tick.
#   2. Copy it out.
tty_read:
    PROLOGUE
    bnez    a0, 9f
    lw      t0, tty_busy
    bnez    t0, 9f
    li      t0, 1
    sw      t0, tty_busy, t1
    mv      s0, a1
    mv      s1, a2
    la      s2, tty_line
    li      s3, 0                       # bytes in it

tty_next:
    CONSOLE_GETC                        # 1
    bgez    a0, 1f
    la      a0, ticks
    call    sleep
    j       tty_next

1:  li      t0, CTRL_D
    beq     a0, t0, tty_done
    li      t0, RETURN                  # what the return key of a terminal sends
    beq     a0, t0, 2f
    li      t0, NEWLINE
    beq     a0, t0, 2f
    li      t0, DELETE
    beq     a0, t0, 3f
    li      t0, BACKSPACE
    beq     a0, t0, 3f
    li      t0, ' '
    bltu    a0, t0, tty_next            # no other control characters

    # One place stays free for the newline.
    li      t0, LINE_SIZE - 1
    bgeu    s3, t0, tty_next
    add     t0, s2, s3
    sb      a0, 0(t0)
    addi    s3, s3, 1
    call    putc
    j       tty_next

2:  add     t0, s2, s3
    li      a0, NEWLINE
    sb      a0, 0(t0)
    addi    s3, s3, 1
    call    putc
    j       tty_done

3:  beqz    s3, tty_next
    addi    s3, s3, -1
    PRINT   "\b \b"
    j       tty_next

tty_done:
    sw      zero, tty_busy, t0          # 2
    bltu    s3, s1, 4f
    mv      s3, s1
4:  mv      a0, s0
    mv      a1, s2
    mv      a2, s3
    call    copy_out
    bnez    a0, 9f
    mv      a0, s3
    EPILOGUE
9:  li      a0, -1
    EPILOGUE

    .bss
    .balign 4
tty_busy:
    .space  4
tty_line:
    .space  LINE_SIZE
