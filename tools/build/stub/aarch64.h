/* System calls and entry for aarch64. */
enum {
  SYS_mkdirat = 34, SYS_openat = 56, SYS_close = 57, SYS_write = 64, SYS_pread64 = 67, SYS_exit = 93,
  SYS_rt_sigprocmask = 135, SYS_mmap = 222, SYS_memfd_create = 279, SYS_statx = 291
};
#define AT_FDCWD ((u64)-100)
enum { O_CLOEXEC = 02000000, AT_SYMLINK_NOFOLLOW = 0x100, STATX_TYPE_MODE_UID = 0x0b, MFD_CLOEXEC = 1 };
enum { MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, SIG_BLOCK = 0, SIGUSR1 = 10 };

static long sys6(long n, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register long x8 __asm__("x8") = n;
  register u64 x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
               x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return (long)x0;
}
#define sys5(n, a, b, c, d, e) sys6(n, a, b, c, d, e, 0)
#define sys4(n, a, b, c, d) sys6(n, a, b, c, d, 0, 0)
#define sys3(n, a, b, c) sys6(n, a, b, c, 0, 0, 0)
#define sys1(n, a) sys6(n, a, 0, 0, 0, 0, 0)

/* As for x86_64; x0 0: nothing to call at the end. */
__asm__(".section .text.entry,\"ax\"\n"
        "mov x0, sp\n"
        "sub sp, sp, #0x100, lsl #12\n"
        "mov x1, sp\n"
        "bl begin\n"
        "mov x2, x0\n"
        "ldr x1, [sp]\n"
        "mov sp, x1\n"
        "mov x0, #0\n"
        "br x2\n"
        ".text\n");
