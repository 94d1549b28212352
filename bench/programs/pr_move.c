/*
 * The switch of a prepared hand-over, LUN after LUN, by a program that knows everything in advance: the limit.
 *
 *     pr_move KEY A B [A B]...     A holds type 5 under KEY through each first node, and B is registered under KEY as well
 *
 * For each LUN: A re-keys itself to a token, B preempts the token, B reads the full status. Prints milliseconds for all.
 */
#include "sg_io.h"

static void pr_out(int fd, int action, int type, unsigned long long rk, unsigned long long sark) {
  unsigned char cdb[10] = { 0x5f, action, type, 0, 0, 0, 0, 0, 24, 0 }, list[24] = { 0 };
  for (int i = 0; i < 8; i++) list[i] = rk >> (56 - 8 * i), list[8 + i] = sark >> (56 - 8 * i);
  send_command(fd, cdb, sizeof cdb, SG_DXFER_TO_DEV, list, sizeof list);
}

int main(int argc, char **argv) {
  unsigned long long key = strtoull(argv[1], 0, 0), token = 0x70726d6700000001ull;
  int fds[512];
  for (int i = 2; i < argc && i < 512; i++) {
    fds[i] = open(argv[i], O_RDWR | O_NONBLOCK);
    if (fds[i] < 0) { perror(argv[i]); return 1; }
  }
  double begin = now_ms();
  for (int i = 2; i + 1 < argc && i < 511; i += 2) {
    unsigned char full[10] = { 0x5e, 3, 0, 0, 0, 0, 0, 8, 0 }, data[2048 + 1024];
    pr_out(fds[i], 0, 0, key, token);
    pr_out(fds[i + 1], 4, 5, key, token);
    send_command(fds[i + 1], full, sizeof full, SG_DXFER_FROM_DEV, data, sizeof data); /* with room behind: LIO writes beyond what it is asked for */
  }
  printf("%.3f\n", now_ms() - begin);
  return 0;
}
