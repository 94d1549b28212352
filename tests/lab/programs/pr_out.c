/*
 * PERSISTENT RESERVE OUT through SG_IO, on /dev/sdX or /dev/sgN:
 *
 *     pr_out NODE ACTION TYPE RK SARK [COUNT [async]]     numbers in C notation
 *
 * Sends the command COUNT times (1), prints the SAM status of the last one, and ends with 0 unless a call failed. With
 * COUNT above 1 the SARK grows by one from command to command. `async`: write(2) and read(2) on /dev/sgN, no ioctl. With
 * PR_OUT_STAMP in the environment it prints the wall clock at the end of the last command instead, in microseconds; with
 * PR_OUT_EVERY_US it begins one command every so many microseconds, or as soon after as it can.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void big_endian(unsigned char *to, unsigned long long value) {
  for (int i = 0; i < 8; i++) to[i] = value >> (56 - 8 * i);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int fd = open(argv[1], O_RDWR | O_NONBLOCK);
  if (fd < 0) { perror(argv[1]); return 1; }
  unsigned long long rk = strtoull(argv[4], 0, 0), sark = strtoull(argv[5], 0, 0);
  long count = argc > 6 ? strtol(argv[6], 0, 0) : 1;
  long every = getenv("PR_OUT_EVERY_US") ? atol(getenv("PR_OUT_EVERY_US")) : 0;
  struct timespec due;
  clock_gettime(CLOCK_MONOTONIC, &due);
  int status = -1;
  for (long i = 0; i < count; i++) {
    if (every > 0) {
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, 0);
      due.tv_nsec += every * 1000;
      for (; due.tv_nsec >= 1000000000; due.tv_nsec -= 1000000000) due.tv_sec++;
    }
    unsigned char cdb[10] = { 0x5f, strtol(argv[2], 0, 0), strtol(argv[3], 0, 0), 0, 0, 0, 0, 0, 24, 0 };
    unsigned char list[24] = { 0 }, sense[64];
    big_endian(list, rk);
    big_endian(list + 8, sark + i);
    struct sg_io_hdr hdr;
    memset(&hdr, 0, sizeof hdr);
    hdr.interface_id = 'S';
    hdr.dxfer_direction = SG_DXFER_TO_DEV;
    hdr.cmd_len = sizeof cdb;
    hdr.cmdp = cdb;
    hdr.dxfer_len = sizeof list;
    hdr.dxferp = list;
    hdr.mx_sb_len = sizeof sense;
    hdr.sbp = sense;
    hdr.timeout = 20000;
    if (argc > 7) {
      if (write(fd, &hdr, sizeof hdr) != sizeof hdr) { perror("write"); return 1; }
      struct pollfd answer = { .fd = fd, .events = POLLIN };
      poll(&answer, 1, 20000);
      if (read(fd, &hdr, sizeof hdr) != sizeof hdr) { perror("read"); return 1; }
    } else if (ioctl(fd, SG_IO, &hdr) < 0) {
      perror("SG_IO");
      return 1;
    }
    status = hdr.status;
  }
  struct timeval end;
  gettimeofday(&end, 0);
  if (getenv("PR_OUT_STAMP")) printf("%lld\n", end.tv_sec * 1000000LL + end.tv_usec);
  else printf("%d\n", status);
  return 0;
}
