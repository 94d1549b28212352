import assert from "node:assert/strict";
import { SysError } from "../../../lib/sys/errno.ts";
import { addressOf, closeFd, ioctl, O_NONBLOCK, O_RDONLY, O_RDWR, openFd } from "../../../lib/sys/fd.ts";
import { rawCalls } from "../../../lib/sys/raw_call.ts";

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

Deno.test("ioctl() whose guard throws is never sent", async () => {
  const refuse = () => {
    throw new Error("closed");
  };
  await assert.rejects(ioctl(-1, FIONREAD, new Uint8Array(8), refuse), /closed/);
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

Deno.test("no signal interrupts a call, not even a burst while the main thread has one pending", async () => {
  let seen = 0;
  const count = () => void seen++;
  const signals = ["SIGHUP", "SIGUSR2", "SIGWINCH"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, count);
  // A sleep is the witness: with a handler that runs in its thread it ends early, with EINTR.
  const { nr, symbols } = rawCalls();
  const span = new Uint8Array(new BigInt64Array([0n, 300_000_000n]).buffer);
  const sleeps = Array.from({ length: 12 }, () => symbols.nanosleep(nr.nanosleep, span, new Uint8Array(16)));
  const kills = signals.map((signal) => `kill -${signal.slice(3)} ${Deno.pid}`).join("; ");
  const loop = Array.from({ length: 20 }, (_, i) => i).join(" ");
  const burst = new Deno.Command("sh", { args: ["-c", `sleep 0.05; for i in ${loop}; do ${kills}; done`] }).output();
  try {
    await burst;
    assert.deepEqual(await Promise.all(sleeps), sleeps.map(() => 0));
    assert.ok(seen >= signals.length, `${seen} signals were handled, on the main thread`);
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, count);
  }
});
