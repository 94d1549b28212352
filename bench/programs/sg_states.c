/*
 * Everything `prmig dump` reads of a LUN, of many LUNs, in the least time a simple program can: the limit.
 *
 *     sg_states NODE...     prints milliseconds for all of them
 */
#include "sg_io.h"
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

static void read_all(int fd) {
  unsigned char data[8192 + 1024];
  for (unsigned c = 0; c < sizeof commands / sizeof *commands; c++) {
    const unsigned char *cdb = commands[c];
    int inquiry = cdb[0] == 0x12, length = inquiry ? 252 : (cdb[7] << 8 | cdb[8]) + 1024; /* LIO writes beyond what it is asked for */
    send_command(fd, cdb, inquiry ? 6 : 10, SG_DXFER_FROM_DEV, data, length);
  }
}

int main(int argc, char **argv) {
  double begin = now_ms();
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY | O_NONBLOCK);
    if (fd < 0) { perror(argv[i]); return 1; }
    read_all(fd);
    close(fd);
  }
  printf("%.3f\n", now_ms() - begin);
  return 0;
}
