/* What runs first in the one file: it adds the runtime's arguments and environment, and starts the runtime's own loader.
 *
 * The file is the runtime with one more segment: this code, a plan, the strings the plan names, the program in JavaScript,
 * a copy of the program headers. The kernel starts us as a program that needs no loader. We
 *   - refuse to run with privileges that the caller does not have (setuid, file capabilities),
 *   - block SIGUSR1, by which the runtime opens its inspector; a blocked signal stays blocked in every thread,
 *   - keep from the runtime every variable by which it could be steered, and give it ours,
 *   - put the JavaScript into a file in memory, as a module the runtime can name (a data: URL takes it twice the time),
 *   - put argc, argv, envp and auxv below the kernel's on the stack, with our words inserted,
 *   - map the loader the runtime names and jump into it, with an auxv as if the kernel had done so.
 *
 * Freestanding: no library, no data of our own but the plan. compile.sh makes the bytes that are kept in the repository.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

#if defined(__x86_64__)
#include "x86_64.h"
#elif defined(__aarch64__)
#include "aarch64.h"
#endif

/* Follows our code in the file; launcher.ts writes it. Offsets count from its beginning and lead to strings. */
struct plan {
  u64 own_address;   /* where this structure's segment lies before it is moved */
  u64 runtime_entry; /* where the runtime begins, likewise */
  u64 headers;       /* the copy of the program headers, likewise */
  u32 loader;        /* path of the dynamic loader */
  u32 cache_path;    /* directory for root's cache */
  u32 cache;         /* DENO_DIR=, when that directory is root's alone */
  u32 no_cache;      /* DENO_DIR= something that cannot be */
  u32 bundle, size;  /* the JavaScript, and how long it is */
  u32 args, vars;    /* how many of either */
  u32 text[];        /* the arguments, then the variables */
};
extern const struct plan plan __attribute__((visibility("hidden")));

static const char *text(u32 offset) { return (const char *)&plan + offset; }

static u64 length(const char *s) {
  u64 n = 0;
  while (s[n]) n++;
  return n;
}

static int begins(const char *s, const char *with) {
  for (; *with; s++, with++)
    if (*s != *with) return 0;
  return 1;
}

static void refuse(const char *why) {
  sys3(SYS_write, 2, (u64)why, length(why));
  sys1(SYS_exit, 127);
  for (;;) {
  }
}

static void need(int holds, const char *why) {
  if (!holds) refuse(why);
}

/* ---- where the runtime may keep its cache ---- */

struct status { u64 directory, owner, mode; };

/* What is at this path; 0 when that cannot be told. */
static int look(const char *path, u64 flags, struct status *out) {
  u32 buffer[64];
  if (sys5(SYS_statx, AT_FDCWD, (u64)path, flags, STATX_TYPE_MODE_UID, (u64)buffer) != 0) return 0;
  u16 mode = (u16)buffer[7]; /* stx_mode, at byte 28 */
  out->directory = (mode & 0170000) == 0040000;
  out->owner = buffer[5]; /* stx_uid, at byte 20 */
  out->mode = mode & 07777;
  return 1;
}

/* Whoever can write to the cache can plant code in it: root's has to be root's, and nobody else may write there. */
static const char *root_cache(void) {
  struct status found;
  sys3(SYS_mkdirat, AT_FDCWD, (u64)text(plan.cache_path), 0700);
  if (!look(text(plan.cache_path), AT_SYMLINK_NOFOLLOW, &found)) return text(plan.no_cache);
  if (!found.directory || found.owner != 0 || (found.mode & 022)) return text(plan.no_cache);
  return text(plan.cache);
}

/* An ordinary user's is below its home, unless that is somebody else's (sudo -u keeps HOME in places). */
static const char *user_cache(u64 uid, char **envp) {
  struct status found;
  for (; *envp; envp++)
    if (begins(*envp, "HOME=") && look(*envp + 5, 0, &found) && found.owner == uid) return 0;
  return text(plan.no_cache);
}

/* ---- the program ---- */

/* Puts the JavaScript into a file that has no name but the one of our descriptor, and writes that name. */
static void offer_bundle(char *name) {
  static const char prefix[] = "/proc/self/fd/", failed[] = "prmig: no memory for the program (memfd_create)\n";
  long fd = sys3(SYS_memfd_create, (u64)"prmig", MFD_CLOEXEC, 0);
  need(fd >= 0, failed);
  for (u64 done = 0; done < plan.size;) {
    long n = sys3(SYS_write, (u64)fd, (u64)text(plan.bundle) + done, plan.size - done);
    need(n > 0, failed);
    done += (u64)n;
  }
  char digits[20], *d = digits + sizeof digits, *start = name;
  for (*--d = 0; fd >= 10; fd /= 10) *--d = (char)('0' + fd % 10);
  *--d = (char)('0' + fd);
  for (const char *p = prefix; *p;) *name++ = *p++;
  while ((*name++ = *d++)) {
  }
  struct status found;
  need(look(start, 0, &found), "prmig: /proc is not mounted\n");
}

/* ---- the loader ---- */

struct segment { u32 type, flags; u64 offset, address, physical, file_size, memory_size, alignment; };

static int protection(u32 flags) { return (flags & 4 ? 1 : 0) | (flags & 2 ? 2 : 0) | (flags & 1 ? 4 : 0); }

/* Maps the loader as the kernel would; gives its entry. */
static u64 map_loader(const char *path, u64 page, u64 *base) {
  static const char broken[] = "prmig: the dynamic loader cannot be used; is this a glibc system?\n";
  u8 head[64];
  struct segment segments[16];
  long fd = sys4(SYS_openat, AT_FDCWD, (u64)path, O_CLOEXEC, 0);
  need(fd >= 0, broken);
  need(sys4(SYS_pread64, fd, (u64)head, sizeof head, 0) == sizeof head, broken);
  u64 count = *(u16 *)(head + 56), bytes = count * sizeof *segments;
  need(count <= 16, broken);
  need(sys4(SYS_pread64, fd, (u64)segments, bytes, *(u64 *)(head + 32)) == (long)bytes, broken);
  u64 end = 0;
  for (u64 i = 0; i < count; i++)
    if (segments[i].type == 1) end = segments[i].address + segments[i].memory_size;
  /* 64 KiB is the largest page there is. */
  long room = sys6(SYS_mmap, 0, end + 0x20000, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  need(room > 0, broken);
  u64 at = ((u64)room + 0xffff) & ~0xffffUL, inside = page - 1;
  for (u64 i = 0; i < count; i++) {
    struct segment *s = &segments[i];
    if (s->type != 1) continue;
    u64 start = s->address & ~inside, filled = s->address + s->file_size, whole = s->address + s->memory_size;
    u64 edge = (filled + inside) & ~inside; /* of the last page that comes from the file */
    need(sys6(SYS_mmap, at + start, filled - start, protection(s->flags), MAP_PRIVATE | MAP_FIXED, fd,
              s->offset & ~inside) > 0, broken);
    if (whole > filled)
      for (volatile u8 *zero = (u8 *)(at + filled); (u64)zero < at + edge; zero++) *zero = 0;
    if (whole > edge)
      need(sys6(SYS_mmap, at + edge, whole - edge, protection(s->flags), MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS,
                -1, 0) > 0, broken);
  }
  sys1(SYS_close, fd);
  *base = at;
  return at + *(u64 *)(head + 24);
}

/* ---- the new stack ---- */

enum { AT_PHDR = 3, AT_PAGESZ = 6, AT_BASE = 7, AT_ENTRY = 9, AT_EUID = 12, AT_SECURE = 23 };

static u64 auxiliary(u64 *aux, u64 type) {
  for (; *aux; aux += 2)
    if (*aux == type) return aux[1];
  return 0;
}

static int steers_runtime(const char *variable) {
  return begins(variable, "DENO_") || begins(variable, "NODE_") || begins(variable, "OTEL_");
}

/* Called by the entry with the kernel's stack and the lowest address of ours. Gives the entry of the loader; *lowest
 * becomes the stack to enter it with. */
u64 begin(u64 *stack, u64 *lowest) {
  u64 argc = stack[0];
  char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
  u64 variables = 0;
  while (envp[variables]) variables++;
  u64 *aux = (u64 *)(envp + variables + 1), *end = aux;
  while (*end) end += 2;
  end += 2;

  need(!auxiliary(aux, AT_SECURE), "prmig: will not run setuid or with file capabilities; use ambient ones\n");
  u64 blocked = 1UL << (SIGUSR1 - 1);
  sys4(SYS_rt_sigprocmask, SIG_BLOCK, (u64)&blocked, 0, sizeof blocked);
  u64 uid = auxiliary(aux, AT_EUID);
  const char *cache = uid == 0 ? root_cache() : user_cache(uid, envp);

  char *module = (char *)stack - 64; /* within the gap left free below */
  offer_bundle(module);

  u64 words = (u64)(end - stack) + plan.args + plan.vars + 2;
  u64 *fresh = (u64 *)(((u64)stack - words * 8 - 256) & ~15UL), *w = fresh;
  need((u64)fresh > (u64)lowest + 16384, "prmig: too many arguments and variables\n");
  *w++ = argc + plan.args + 1;
  *w++ = (u64)argv[0];
  for (u32 i = 0; i < plan.args; i++) *w++ = (u64)text(plan.text[i]);
  *w++ = (u64)module;
  for (u64 i = 1; i <= argc; i++) *w++ = (u64)argv[i]; /* and the null at their end */
  for (u32 i = 0; i < plan.vars; i++) *w++ = (u64)text(plan.text[plan.args + i]);
  if (cache) *w++ = (u64)cache;
  for (; *envp; envp++)
    if (!steers_runtime(*envp)) *w++ = (u64)*envp;
  *w++ = 0;

  u64 moved = auxiliary(aux, AT_ENTRY) - plan.own_address, base;
  u64 entry = map_loader(text(plan.loader), auxiliary(aux, AT_PAGESZ), &base);
  for (u64 *a = aux; a < end; a += 2) {
    *w++ = a[0];
    *w++ = a[0] == AT_ENTRY ? moved + plan.runtime_entry
           : a[0] == AT_BASE ? base
           : a[0] == AT_PHDR ? moved + plan.headers
                             : a[1];
  }
  *lowest = (u64)fresh;
  return entry;
}
