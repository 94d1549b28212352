/*
 * One SCSI command through SG_IO, and what time it is: what the programs here share.
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

/* Sends a command, once more after each of a few unit attentions; ends the program when it fails. */
static void send_command(int fd, const unsigned char *cdb, int cdb_length, int direction, void *data, int length) {
  unsigned char sense[252];
  for (int tries = 0; tries < 5; tries++) {
    struct sg_io_hdr hdr;
    memset(&hdr, 0, sizeof hdr);
    hdr.interface_id = 'S';
    hdr.dxfer_direction = direction;
    hdr.cmd_len = cdb_length;
    hdr.cmdp = (unsigned char *)cdb;
    hdr.dxfer_len = length;
    hdr.dxferp = data;
    hdr.mx_sb_len = sizeof sense;
    hdr.sbp = sense;
    hdr.timeout = 20000;
    if (ioctl(fd, SG_IO, &hdr) < 0) { perror("SG_IO"); exit(1); }
    if (hdr.status == 0 && hdr.host_status == 0) return;
    if (hdr.status != 2 || (sense[2] & 15) != 6) break;
  }
  fprintf(stderr, "command %x/%x failed\n", cdb[0], cdb[1]);
  exit(1);
}

/* Milliseconds on a clock that never goes back. */
static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}
