/*
 * The kernel's own reservation ioctls (linux/pr.h) on a block device:
 *
 *     pr_ioctl NODE register OLD NEW | reserve KEY TYPE | release KEY TYPE | preempt KEY VICTIM TYPE | clear KEY
 *
 * TYPE is the kernel's (1 WE, 2 EA, 3 WE-RO, 4 EA-RO, 5 WE-AR, 6 EA-AR). Prints what the ioctl returned.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int fd = open(argv[1], O_RDWR);
  if (fd < 0) { perror(argv[1]); return 1; }
  unsigned long long n[3] = { 0 };
  for (int i = 3; i < argc && i < 6; i++) n[i - 3] = strtoull(argv[i], 0, 0);
  int result;
  if (!strcmp(argv[2], "register")) {
    struct pr_registration r = { .old_key = n[0], .new_key = n[1] };
    result = ioctl(fd, IOC_PR_REGISTER, &r);
  } else if (!strcmp(argv[2], "reserve") || !strcmp(argv[2], "release")) {
    struct pr_reservation r = { .key = n[0], .type = n[1] };
    result = ioctl(fd, argv[2][2] == 's' ? IOC_PR_RESERVE : IOC_PR_RELEASE, &r);
  } else if (!strcmp(argv[2], "preempt")) {
    struct pr_preempt r = { .old_key = n[0], .new_key = n[1], .type = n[2] };
    result = ioctl(fd, IOC_PR_PREEMPT, &r);
  } else if (!strcmp(argv[2], "clear")) {
    struct pr_clear r = { .key = n[0] };
    result = ioctl(fd, IOC_PR_CLEAR, &r);
  } else {
    return 2;
  }
  printf("%d\n", result < 0 ? -errno : result);
  return 0;
}
