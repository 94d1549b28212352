/*
 * Everything `prmig dump` reads of a LUN, of many LUNs, in the least time a simple program can: the limit.
 *
 *     sg_states NODE...     prints milliseconds for all of them
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const unsigned char commands[][10] = {
  { 0x12, 0, 0, 0, 252 },             /* INQUIRY */
  { 0x12, 1, 0x00, 0, 252 },          /* its pages: which there are, */
  { 0x12, 1, 0x80, 0, 252 },          /* the serial number, */
  { 0x12, 1, 0x83, 0, 252 },          /* the designators */
  { 0x5e, 3, 0, 0, 0, 0, 0, 32, 0 },  /* READ FULL STATUS */
  { 0x5e, 1, 0, 0, 0, 0, 0, 1, 0 },   /* READ RESERVATION */
  { 0x5e, 2, 0, 0, 0, 0, 0, 1, 0 },   /* REPORT CAPABILITIES */
};

static void send(int fd, const unsigned char *cdb) {
  unsigned char data[8192 + 1024], sense[252];
  for (int tries = 0; tries < 5; tries++) {
    struct sg_io_hdr hdr;
    memset(&hdr, 0, sizeof hdr);
    hdr.interface_id = 'S';
    hdr.dxfer_direction = SG_DXFER_FROM_DEV;
    hdr.cmd_len = cdb[0] == 0x12 ? 6 : 10;
    hdr.cmdp = (unsigned char *)cdb;
    hdr.dxfer_len = cdb[0] == 0x12 ? 252 : (cdb[7] << 8 | cdb[8]) + 1024; /* LIO writes beyond what it is asked for */
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

int main(int argc, char **argv) {
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY | O_NONBLOCK);
    if (fd < 0) { perror(argv[i]); return 1; }
    for (unsigned c = 0; c < sizeof commands / sizeof *commands; c++) send(fd, commands[c]);
    close(fd);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.3f\n", (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6);
  return 0;
}
