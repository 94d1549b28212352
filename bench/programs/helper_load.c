/*
 * Load for a pr-helper: so many connections, each sending its next command as soon as the last is answered.
 *
 *     helper_load SOCKET CONNECTIONS MILLISECONDS|COUNTx in|out NODE...
 *
 * `in` sends PERSISTENT RESERVE IN, READ KEYS; `out` sends PERSISTENT RESERVE OUT, REGISTER AND IGNORE EXISTING KEY, the
 * same key again and again. Connection i sends a descriptor of NODE i, round and round. It ends after so many milliseconds, or
 * (`10000x`) when so many commands have been sent and answered. Prints one line of JSON: answers, how many were GOOD,
 * seconds, and microseconds of latency (50th and 99th of 100, and the longest).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct connection {
  int fd, node;
  unsigned have, want;
  double sent;
  unsigned char reply[104 + 8192];
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "helper_load: %s: %s\n", what, errno ? strerror(errno) : "the helper closed the connection");
  exit(1);
}

/* `sent`: the time now, which the caller has just read: a look at the clock is a system call where there is no vDSO. */
static void request(struct connection *c, int out, double sent) {
  unsigned char cdb[16] = { 0x5e, 0, 0, 0, 0, 0, 0, 1, 0 };
  unsigned char list[24] = { 0 };
  if (out) {
    cdb[0] = 0x5f, cdb[1] = 6, cdb[7] = 0, cdb[8] = sizeof list;
    list[14] = 0xab, list[15] = 0xcd;
  }
  struct iovec part = { cdb, sizeof cdb };
  union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  memcpy(CMSG_DATA(&control.header), &c->node, sizeof(int));
  c->have = 0, c->want = 104, c->sent = sent;
  errno = 0;
  if (sendmsg(c->fd, &message, MSG_NOSIGNAL) != sizeof cdb) fail("sendmsg");
  if (out && send(c->fd, list, sizeof list, MSG_NOSIGNAL) != sizeof list) fail("send");
}

/* Reads what is there; 1 when the reply is complete. */
static int answer(struct connection *c) {
  while (c->have < c->want) {
    errno = 0;
    ssize_t n = recv(c->fd, c->reply + c->have, c->want - c->have, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) fail("recv");
    c->have += n;
    if (c->have == 104) {
      unsigned size = c->reply[4] << 24 | c->reply[5] << 16 | c->reply[6] << 8 | c->reply[7];
      if (size > 8192) { errno = EPROTO; fail("size of the reply"); }
      c->want = 104 + size;
    }
  }
  return 1;
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int count = atoi(argv[2]), out = strcmp(argv[4], "out") == 0, nodes = argc - 5;
  int counted = strchr(argv[3], 'x') != NULL;
  double seconds = atof(argv[3]) / 1000;
  size_t left = counted ? strtoul(argv[3], NULL, 10) : 0;
  if (counted && left < (size_t)count) return 2;
  struct connection *all = calloc(count, sizeof *all);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int *fds = calloc(nodes, sizeof(int));
  for (int i = 0; i < nodes; i++) {
    fds[i] = open(argv[5 + i], O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fds[i] < 0) fail(argv[5 + i]);
  }
  int poll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < count; i++) {
    struct connection *c = &all[i];
    unsigned char greeting[4] = { 0 };
    c->node = fds[i % nodes];
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    if (recv(c->fd, greeting, 4, MSG_WAITALL) != 4) fail("greeting");
    memset(greeting, 0, 4);
    if (send(c->fd, greeting, 4, MSG_NOSIGNAL) != 4) fail("greeting");
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    if (epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl");
  }
  size_t room = 1 << 16, answers = 0, good = 0;
  float *latency = malloc(room * sizeof *latency);
  double begin = now(), end = begin;
  for (int i = 0; i < count; i++) request(&all[i], out, now());
  if (counted) left -= count;
  for (int open = count; open > 0;) {
    struct epoll_event ready[64];
    int n = epoll_wait(poll, ready, 64, 60000);
    if (n <= 0) { if (n == 0) errno = ETIMEDOUT; fail("epoll_wait"); }
    for (int i = 0; i < n; i++) {
      struct connection *c = ready[i].data.ptr;
      if (!answer(c)) continue;
      end = now();
      if (answers == room) latency = realloc(latency, (room *= 2) * sizeof *latency);
      latency[answers++] = (end - c->sent) * 1e6;
      good += c->reply[0] == 0 && c->reply[1] == 0 && c->reply[2] == 0 && c->reply[3] == 0;
      if (counted ? left > 0 : end - begin < seconds) {
        left -= counted;
        request(c, out, end);
      } else open--;
    }
  }
  qsort(latency, answers, sizeof *latency, by_size);
  printf("{\"answers\":%zu,\"good\":%zu,\"seconds\":%.6f,\"p50\":%.1f,\"p99\":%.1f,\"longest\":%.1f}\n", answers, good,
         end - begin, latency[answers / 2], latency[answers * 99 / 100], latency[answers - 1]);
  return 0;
}
