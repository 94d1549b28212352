/*
 * What the guest's user would do, in one static program: starting it costs a tenth of what a dynamic one costs under
 * nested emulation.
 *
 *   guest tick DEVICE PERIOD_MS            writes a counter with direct I/O, for ever, reads it back, says how it went:
 *                                            tick N ok t=SECONDS lat=MS
 *                                            tick N FAIL t=SECONDS lat=MS errno=NUMBER TEXT
 *   guest pr-out DEVICE ACTION TYPE RK SARK [APTPL]    PERSISTENT RESERVE OUT; numbers as C writes them
 *   guest pr-in DEVICE ACTION                          PERSISTENT RESERVE IN, its answer in hex
 *
 * pr-out and pr-in print "status=0xSS sense=K/AA/QQ" and exit 0 for GOOD, 24 for RESERVATION CONFLICT, else 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR = 512, TICK_AT = 4096, TIMEOUT_MS = 60000, RESERVATION_CONFLICT = 0x18, EXIT_CONFLICT = 24 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int open_or_die(const char *path, int flags)
{
    int fd = open(path, flags);
    if (fd < 0) {
        fprintf(stderr, "guest: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    return fd;
}

/* One round: write the counter, read it back. 0, or the errno that a user would see. */
static int round_trip(int fd, uint64_t *block, uint64_t counter)
{
    memset(block, 0, SECTOR);
    block[0] = counter;
    if (pwrite(fd, block, SECTOR, TICK_AT) != SECTOR || fdatasync(fd) != 0) return errno ? errno : EIO;
    if (pread(fd, block, SECTOR, TICK_AT) != SECTOR) return errno ? errno : EIO;
    return block[0] == counter ? 0 : EILSEQ;
}

static int tick(const char *path, long period_ms)
{
    int fd = open_or_die(path, O_RDWR | O_DIRECT);
    uint64_t *block = aligned_alloc(4096, 4096);
    if (!block) return 2;
    for (uint64_t counter = 1;; counter++) {
        double start = now();
        errno = 0;
        int error = round_trip(fd, block, counter);
        double lat = (now() - start) * 1000;
        if (error) printf("tick %llu FAIL t=%.3f lat=%.1f errno=%d %s\n", (unsigned long long)counter, start, lat, error, strerror(error));
        else printf("tick %llu ok t=%.3f lat=%.1f\n", (unsigned long long)counter, start, lat);
        fflush(stdout);
        if (period_ms > 0) usleep(period_ms * 1000);
    }
}

static int execute(int fd, unsigned char *cdb, int cdb_length, int direction, unsigned char *data, unsigned length)
{
    unsigned char sense[64] = {0};
    struct sg_io_hdr io = {
        .interface_id = 'S', .dxfer_direction = direction, .cmdp = cdb, .cmd_len = cdb_length,
        .dxferp = data, .dxfer_len = length, .sbp = sense, .mx_sb_len = sizeof sense, .timeout = TIMEOUT_MS,
    };
    if (ioctl(fd, SG_IO, &io) != 0) {
        fprintf(stderr, "guest: SG_IO: %s\n", strerror(errno));
        return 2;
    }
    int fixed = (sense[0] & 0x7f) < 0x72;
    printf("status=0x%02x sense=%x/%02x/%02x\n", io.status, sense[fixed ? 2 : 1] & 0xf, sense[fixed ? 12 : 2], sense[fixed ? 13 : 3]);
    if (io.host_status) printf("host_status=0x%x\n", io.host_status);
    if (io.status == RESERVATION_CONFLICT) return EXIT_CONFLICT;
    return io.status == 0 && io.host_status == 0 ? 0 : 1;
}

static void put64(unsigned char *to, uint64_t value)
{
    for (int i = 0; i < 8; i++) to[i] = value >> (56 - 8 * i);
}

static int pr_out(char **a, int count)
{
    unsigned char cdb[10] = {0x5f}, list[24] = {0};
    cdb[1] = strtoul(a[1], 0, 0) & 0x1f;
    cdb[2] = strtoul(a[2], 0, 0) & 0x0f;
    cdb[8] = sizeof list;
    put64(list, strtoull(a[3], 0, 0));
    put64(list + 8, strtoull(a[4], 0, 0));
    list[20] = count > 5 && strtoul(a[5], 0, 0) ? 1 : 0;
    return execute(open_or_die(a[0], O_RDWR | O_NONBLOCK), cdb, sizeof cdb, SG_DXFER_TO_DEV, list, sizeof list);
}

static int pr_in(char **a)
{
    static unsigned char data[4096];
    unsigned char cdb[10] = {0x5e};
    cdb[1] = strtoul(a[1], 0, 0) & 0x1f;
    cdb[7] = sizeof data >> 8;
    int result = execute(open_or_die(a[0], O_RDWR | O_NONBLOCK), cdb, sizeof cdb, SG_DXFER_FROM_DEV, data, sizeof data);
    unsigned length = 8 + ((unsigned)data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7]);
    for (unsigned i = 0; result == 0 && i < length && i < sizeof data; i++) printf("%02x", data[i]);
    printf("\n");
    return result;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "tick")) return tick(argv[2], atol(argv[3]));
    if (argc >= 7 && !strcmp(argv[1], "pr-out")) return pr_out(argv + 2, argc - 2);
    if (argc == 4 && !strcmp(argv[1], "pr-in")) return pr_in(argv + 2);
    fprintf(stderr, "usage: guest tick DEVICE PERIOD_MS | pr-out DEVICE ACTION TYPE RK SARK [APTPL] | pr-in DEVICE ACTION\n");
    return 2;
}
