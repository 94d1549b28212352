/*
 * SG_IO as fast as it goes, one command at a time: the limit of what any program can reach.
 *
 *     sg_loop NODE COUNT tur|keys     prints microseconds for each command
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int fd = open(argv[1], O_RDWR | O_NONBLOCK), keys = strcmp(argv[3], "keys") == 0;
  if (fd < 0) { perror(argv[1]); return 1; }
  long count = atol(argv[2]);
  unsigned char tur[6] = { 0 }, read_keys[10] = { 0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0 }, data[256], sense[252];
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (long i = 0; i < count; i++) {
    struct sg_io_hdr hdr;
    memset(&hdr, 0, sizeof hdr);
    hdr.interface_id = 'S';
    hdr.dxfer_direction = keys ? SG_DXFER_FROM_DEV : SG_DXFER_NONE;
    hdr.cmd_len = keys ? sizeof read_keys : sizeof tur;
    hdr.cmdp = keys ? read_keys : tur;
    hdr.dxfer_len = keys ? sizeof data : 0;
    hdr.dxferp = keys ? data : 0;
    hdr.mx_sb_len = sizeof sense;
    hdr.sbp = sense;
    hdr.timeout = 20000;
    if (ioctl(fd, SG_IO, &hdr) < 0) { perror("SG_IO"); return 1; }
    if (hdr.status || hdr.host_status) { fprintf(stderr, "status %x\n", hdr.status); return 1; }
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.3f\n", ((end.tv_sec - begin.tv_sec) * 1e6 + (end.tv_nsec - begin.tv_nsec) / 1e3) / count);
  return 0;
}
