/*
 * The switch of a prepared hand-over, LUN after LUN, by a program that knows everything in advance: the limit.
 *
 *     pr_move KEY A B [A B]...     A holds type 5 under KEY through each first node, and B is registered under KEY as well
 *
 * For each LUN: A re-keys itself to a token, B preempts the token, B reads the full status. Prints milliseconds for all.
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

static void send(int fd, unsigned char *cdb, unsigned char *data, int length, int to_device) {
  unsigned char sense[252];
  for (int tries = 0; tries < 5; tries++) {
    struct sg_io_hdr hdr;
    memset(&hdr, 0, sizeof hdr);
    hdr.interface_id = 'S';
    hdr.dxfer_direction = to_device ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV;
    hdr.cmd_len = 10;
    hdr.cmdp = cdb;
    hdr.dxfer_len = length;
    hdr.dxferp = data;
    hdr.mx_sb_len = sizeof sense;
    hdr.sbp = sense;
    hdr.timeout = 20000;
    if (ioctl(fd, SG_IO, &hdr) < 0) { perror("SG_IO"); exit(1); }
    if (hdr.status == 0 && hdr.host_status == 0) return;
    if (hdr.status != 2 || (sense[2] & 15) != 6) break; /* once more after a unit attention */
  }
  fprintf(stderr, "command %x/%x failed\n", cdb[0], cdb[1]);
  exit(1);
}

static void pr_out(int fd, int action, int type, unsigned long long rk, unsigned long long sark) {
  unsigned char cdb[10] = { 0x5f, action, type, 0, 0, 0, 0, 0, 24, 0 }, list[24] = { 0 };
  for (int i = 0; i < 8; i++) list[i] = rk >> (56 - 8 * i), list[8 + i] = sark >> (56 - 8 * i);
  send(fd, cdb, list, sizeof list, 1);
}

int main(int argc, char **argv) {
  unsigned long long key = strtoull(argv[1], 0, 0), token = 0x70726d6700000001ull;
  int fds[512];
  for (int i = 2; i < argc && i < 512; i++) {
    fds[i] = open(argv[i], O_RDWR | O_NONBLOCK);
    if (fds[i] < 0) { perror(argv[i]); return 1; }
  }
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 2; i + 1 < argc && i < 511; i += 2) {
    unsigned char full[10] = { 0x5e, 3, 0, 0, 0, 0, 0, 8, 0 }, data[2048 + 1024];
    pr_out(fds[i], 0, 0, key, token);
    pr_out(fds[i + 1], 4, 5, key, token);
    send(fds[i + 1], full, data, sizeof data, 0); /* with room behind: LIO writes beyond what it is asked for */
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.3f\n", (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6);
  return 0;
}
