/*
 * init: what Linux runs as process 1.  No libc: system calls only.
 *
 * Each check prints a line; the first that fails prints FAIL and powers off.  What it
 * uses of the machine: traps from U, fork and exec (page tables, copy on write),
 * pipes (scheduling), AMOs and LR/SC, the timer, and a disk if there is one.
 */
#include <stddef.h>
#include <stdint.h>

enum {
    SYS_mkdirat = 34, SYS_mount = 40, SYS_openat = 56, SYS_close = 57, SYS_pipe2 = 59,
    SYS_read = 63, SYS_write = 64, SYS_fsync = 82, SYS_exit_group = 94, SYS_waitid = 95,
    SYS_reboot = 142, SYS_getpid = 172, SYS_clone = 220, SYS_execve = 221, SYS_mmap2 = 222,
    SYS_clock_gettime64 = 403, SYS_clock_nanosleep_time64 = 407,
};
enum { AT_FDCWD = -100, SIGCHLD = 17, O_RDONLY = 0, O_RDWR = 2, P_ALL = 0, WEXITED = 4 };
enum { PROT_RW = 3, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MS_RDONLY = 1, POWER_OFF = 0x4321FEDC };

static long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall"
                     : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
                     : "memory");
    return a0;
}
#define CALL(n, a, b, c, d) call(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static void print(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    CALL(SYS_write, 1, text, n, 0);
}

static void power_off(void)
{
    CALL(SYS_reboot, 0xfee1dead, 672274793, POWER_OFF, 0);
    for (;;)
        ;
}

static void check(const char *what, int holds)
{
    print(holds ? "init: ok " : "init: FAIL ");
    print(what);
    print("\n");
    if (!holds)
        power_off();
}

/* The exit status of the child that ends next. */
static int wait_child(void)
{
    int info[32];
    if (CALL(SYS_waitid, P_ALL, 0, info, WEXITED) < 0)
        return -1;
    return info[5];
}

static long fork(void)
{
    return CALL(SYS_clone, SIGCHLD, 0, 0, 0);
}

static void *map(size_t bytes)
{
    return (void *)call(SYS_mmap2, 0, bytes, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void check_fork_and_exec(void)
{
    static char *const argv[] = {"/init", "child", NULL};
    static char *const envp[] = {NULL};
    if (fork() == 0) {
        CALL(SYS_execve, "/init", argv, envp, 0);
        CALL(SYS_exit_group, 1, 0, 0, 0);
    }
    check("fork, exec, wait", wait_child() == 42);
}

static void check_pipe(void)
{
    int to[2], from[2];
    char byte = 0;
    int sum = 0;
    CALL(SYS_pipe2, to, 0, 0, 0);
    CALL(SYS_pipe2, from, 0, 0, 0);
    if (fork() == 0) {  /* the child answers each byte by its successor */
        for (int n = 0; n < 16; n++) {
            CALL(SYS_read, to[0], &byte, 1, 0);
            byte++;
            CALL(SYS_write, from[1], &byte, 1, 0);
        }
        CALL(SYS_exit_group, 0, 0, 0, 0);
    }
    for (int n = 0; n < 16; n++) {
        byte = (char)n;
        CALL(SYS_write, to[1], &byte, 1, 0);
        CALL(SYS_read, from[0], &byte, 1, 0);
        sum += byte;
    }
    check("pipes, two processes in turn", wait_child() == 0 && sum == 136);
}

static void check_copy_on_write(void)
{
    enum { PAGES = 32, WORDS = 1024 };
    volatile uint32_t *words = map(PAGES * 4096);
    int kept = 1;
    for (uint32_t n = 0; n < PAGES; n++)
        words[n * WORDS] = n * 2654435761u;
    if (fork() == 0) {
        int inherited = 1;
        for (uint32_t n = 0; n < PAGES; n++) {
            inherited &= words[n * WORDS] == n * 2654435761u;
            words[n * WORDS] = ~n;
        }
        CALL(SYS_exit_group, inherited ? 0 : 1, 0, 0, 0);
    }
    int child = wait_child();
    for (uint32_t n = 0; n < PAGES; n++)
        kept &= words[n * WORDS] == n * 2654435761u;
    check("mmap, copy on write", child == 0 && kept);
}

static void check_atomics(void)
{
    static uint32_t word = 5;
    uint32_t old, failed, same;
    __asm__ volatile("amoadd.w %0, %1, (%2)" : "=r"(old) : "r"(3), "r"(&word) : "memory");
    int right = old == 5 && word == 8;
    __asm__ volatile("amoswap.w %0, %1, (%2)" : "=r"(old) : "r"(-7), "r"(&word) : "memory");
    right &= old == 8;
    __asm__ volatile("amomax.w %0, %1, (%2)" : "=r"(old) : "r"(-9), "r"(&word) : "memory");
    right &= word == (uint32_t)-7;
    __asm__ volatile("amomaxu.w %0, %1, (%2)" : "=r"(old) : "r"(9), "r"(&word) : "memory");
    right &= word == (uint32_t)-7;
    __asm__ volatile("1: lr.w %0, (%2)\n\tsc.w %1, %3, (%2)\n\tbnez %1, 1b"
                     : "=&r"(old), "=&r"(failed) : "r"(&word), "r"(77) : "memory");
    __asm__ volatile("sc.w %0, %1, (%2)" : "=&r"(same) : "r"(78), "r"(&word) : "memory");
    check("AMOs, LR and SC", right && word == 77 && same != 0);
}

static void check_sleep(void)
{
    int64_t wish[2] = {0, 20 * 1000 * 1000}, before[2], after[2];
    CALL(SYS_clock_gettime64, 1, before, 0, 0);
    CALL(SYS_clock_nanosleep_time64, 1, 0, wish, 0);
    CALL(SYS_clock_gettime64, 1, after, 0, 0);
    int64_t slept = after[1] - before[1] + (after[0] != before[0] ? 1000000000 : 0);
    check("sleep", slept >= wish[1] && slept < 10 * wish[1]);
}

/* Print a file if it exists; whether it does. */
static int show(const char *path)
{
    static char text[4096];
    long file = CALL(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
    if (file < 0)
        return 0;
    long n = CALL(SYS_read, file, text, sizeof text, 0);
    if (n > 0)
        CALL(SYS_write, 1, text, n, 0);
    CALL(SYS_close, file, 0, 0, 0);
    return n > 0;
}

/* Mount the disk and show a file on it; or, if asked, write to the disk and sync. */
static void use_disk(int write_too)
{
    if (CALL(SYS_mount, "dev", "/dev", "devtmpfs", 0) < 0)
        return;
    long disk = CALL(SYS_openat, AT_FDCWD, "/dev/vda", O_RDONLY, 0);
    if (disk < 0)
        return;
    CALL(SYS_close, disk, 0, 0, 0);
    check("disk mounted", CALL(SYS_mount, "/dev/vda", "/mnt", "ext2", MS_RDONLY) == 0);
    check("file on the disk", show("/mnt/greeting"));
    if (!write_too)
        return;
    disk = CALL(SYS_openat, AT_FDCWD, "/dev/vdb", O_RDWR, 0);
    if (disk < 0)
        return;
    static char block[4096] = "written by init\n";
    long written = CALL(SYS_write, disk, block, sizeof block, 0);
    check("second disk written", written == sizeof block && CALL(SYS_fsync, disk, 0, 0, 0) == 0);
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

__attribute__((used)) static void start(long *stack)
{
    long argc = stack[0];
    char **argv = (char **)(stack + 1);
    int write_too = 0;
    if (argc > 1 && same(argv[1], "child"))
        CALL(SYS_exit_group, 42, 0, 0, 0);
    print("init: hello from process 1\n");
    for (long n = 1; n < argc; n++) {
        print("init: argument ");
        print(argv[n]);
        print("\n");
        write_too |= same(argv[n], "write");
    }
    check("process number", CALL(SYS_getpid, 0, 0, 0, 0) == 1);
    check_fork_and_exec();
    check_pipe();
    check_copy_on_write();
    check_atomics();
    check_sleep();
    show("/motd");
    use_disk(write_too);
    print("init: done\n");
    power_off();
}

__asm__(".globl _start\n_start:\n\tmv a0, sp\n\tandi sp, sp, -16\n\tj start\n");
