import assert from "node:assert/strict";
import { SysError } from "../../../lib/sys/errno.ts";
import { addressOf, closeFd, ioctl, O_NONBLOCK, O_RDONLY, O_RDWR, openFd } from "../../../lib/sys/fd.ts";

const FIONREAD = 0x541b;
const TCGETS = 0x5401;

const REFUSED = [
  ["/nonexistent/lun", O_RDONLY, "ENOENT"],
  ["/dev/null/lun", O_RDONLY, "ENOTDIR"],
  ["/dev", O_RDWR, "EISDIR"],
  ["/dev/\0null", O_RDONLY, "EINVAL"],
] as const;
for (const [path, flags, code] of REFUSED) {
  Deno.test(`openFd(${JSON.stringify(path)}) fails with ${code}`, async () => {
    await assert.rejects(openFd(path, flags), (error: SysError) => error instanceof SysError && error.code === code);
  });
}

Deno.test("openFd() opens close-on-exec; closeFd() closes, and a second time says EBADF", async () => {
  const fd = await openFd("/dev/null", O_RDWR | O_NONBLOCK);
  const flags = /flags:\s*(\d+)/.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`));
  assert.equal(parseInt(flags![1]!, 8) & 0o2004003, 0o2004002);
  closeFd(fd);
  assert.throws(() => closeFd(fd), /EBADF/);
});

Deno.test("ioctl() answers with its own -errno, also when many fail at once for different reasons", async () => {
  const fd = await openFd("/dev/null", O_RDONLY);
  try {
    const buffer = () => new Uint8Array(64);
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, i) => i % 2 ? ioctl(fd, TCGETS, buffer()) : ioctl(-1, FIONREAD, buffer())),
    );
    assert.deepEqual(answers, answers.map((_, i) => i % 2 ? -25 : -9));
  } finally {
    closeFd(fd);
  }
});

Deno.test("ioctl() fills the buffer it was given, through collections of everything else", async () => {
  const fd = await openFd("/proc/self/status", O_RDONLY); // any regular file knows FIONREAD
  try {
    const buffers = Array.from({ length: 50 }, () => new Uint8Array(new ArrayBuffer(64)).fill(0xee));
    await Promise.all(buffers.map((buffer) => ioctl(fd, FIONREAD, buffer)));
    for (const buffer of buffers) assert.equal(buffer[4], 0xee, "FIONREAD writes four bytes and no more");
  } finally {
    closeFd(fd);
  }
});

Deno.test("addressOf() is stable and distinct", () => {
  const [a, b] = [new ArrayBuffer(512), new ArrayBuffer(512)];
  assert.equal(addressOf(a), addressOf(a));
  assert.notEqual(addressOf(a), addressOf(b));
});
