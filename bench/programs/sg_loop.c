/*
 * SG_IO as fast as it goes, one command at a time: the limit of what any program can reach.
 *
 *     sg_loop NODE COUNT tur|keys     prints microseconds for each command
 */
#include "sg_io.h"

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int fd = open(argv[1], O_RDWR | O_NONBLOCK), keys = strcmp(argv[3], "keys") == 0;
  if (fd < 0) { perror(argv[1]); return 1; }
  long count = atol(argv[2]);
  unsigned char tur[6] = { 0 }, read_keys[10] = { 0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0 }, data[256];
  double begin = now_ms();
  for (long i = 0; i < count; i++) {
    if (keys) send_command(fd, read_keys, sizeof read_keys, SG_DXFER_FROM_DEV, data, sizeof data);
    else send_command(fd, tur, sizeof tur, SG_DXFER_NONE, 0, 0);
  }
  printf("%.3f\n", (now_ms() - begin) * 1e3 / count);
  return 0;
}
