import assert from "node:assert/strict";
import { CALLS_AT_ONCE, sharedThreads, systemCall } from "../../../lib/sys/calls.ts";
import { ioctl } from "../../../lib/sys/fd.ts";
import { thisArch } from "../../../lib/sys/thread_code.ts";

/** A call that hangs for so long: a sleep, which a signal handled in its thread would end early (-EINTR). */
function hang(ms: number): Promise<number> {
  return systemCall(32, (memory) => {
    const span = new DataView(memory.bytes.buffer, memory.bytes.byteOffset);
    span.setBigInt64(0, BigInt(Math.floor(ms / 1000)), true);
    span.setBigInt64(8, BigInt(ms % 1000) * 1_000_000n, true);
    memory.call(thisArch().nr.nanosleep, memory.address, memory.address + 16);
  }, (result) => result);
}

const EBADF = -9;
const quick = (): Promise<number> => ioctl(-1, 0x541b, new Uint8Array(8));

async function quickFor(ms: number): Promise<number> {
  let count = 0;
  for (const until = performance.now() + ms; performance.now() < until; count++) assert.equal(await quick(), EBADF);
  return count;
}

Deno.test("a call that hangs holds up neither timers nor signals nor other calls", async () => {
  let ticks = 0, signals = 0;
  const count = (): void => void signals++;
  Deno.addSignalListener("SIGUSR2", count);
  const timer = setInterval(() => ticks++, 10);
  try {
    const hanging = hang(1000);
    const kill = new Deno.Command("sh", { args: ["-c", `sleep 0.2; kill -USR2 ${Deno.pid}`] }).output();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const alone = ticks;
    assert.ok(alone >= 5, `${alone} ticks of 10 ms in 300 ms with nothing but a hanging call`);
    const calls = await quickFor(400);
    assert.ok(calls >= 40, `${calls} calls beside it in 400 ms`);
    assert.ok(ticks - alone >= 5, `${ticks - alone} ticks beside those calls`);
    await kill;
    assert.equal(await hanging, 0);
    assert.equal(signals, 1);
  } finally {
    clearInterval(timer);
    Deno.removeSignalListener("SIGUSR2", count);
  }
});

Deno.test("calls without a pause give timers their turn", async () => {
  let late = 0, last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    [late, last] = [Math.max(late, now - last), now];
  }, 1);
  try {
    await quickFor(500);
    assert.ok(performance.now() - last < 200 && late > 0 && late < 200, `a timer of 1 ms was ${late} ms late`);
  } finally {
    clearInterval(timer);
  }
});

Deno.test("as many calls may hang as there are places, and one more is heard of when the first is back", async () => {
  const begun = performance.now();
  const hanging = Array.from({ length: CALLS_AT_ONCE }, () => hang(300));
  let after = NaN;
  const next = quick().then((result) => (after = performance.now() - begun, result));
  assert.equal(sharedThreads().underWay, CALLS_AT_ONCE);
  assert.deepEqual(await Promise.all(hanging), hanging.map(() => 0));
  assert.ok(performance.now() - begun < 10 * 300, "they hung side by side");
  assert.equal(await next, EBADF);
  assert.ok(after >= 290, `${after} ms`);
  assert.equal(sharedThreads().threads, CALLS_AT_ONCE);
});

Deno.test("no signal interrupts a call, not even a burst while the main thread has one pending", async () => {
  let seen = 0;
  const count = () => void seen++;
  const signals = ["SIGHUP", "SIGUSR2", "SIGWINCH"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, count);
  const sleeps = Array.from({ length: 12 }, () => hang(300));
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

/** Runs a program that has begun a call which hangs for `ms`, and then does `then`. */
async function ending(ms: number, then: string): Promise<{ code: number; stdout: string; ms: number }> {
  const script = `
    import { systemCall } from ${JSON.stringify(import.meta.resolve("../../../lib/sys/calls.ts"))};
    import { thisArch } from ${JSON.stringify(import.meta.resolve("../../../lib/sys/thread_code.ts"))};
    const hang = ${hang};
    hang(${ms}).then(() => console.log("came back"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    ${then}`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, script.replace("(ms: number): Promise<number>", "(ms)"));
  const begun = performance.now();
  try {
    const args = ["run", "-A", "--no-check", "--no-config", "--no-lock", file];
    const signal = AbortSignal.timeout(60_000);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null", signal }).output();
    return { code, stdout: new TextDecoder().decode(stdout), ms: performance.now() - begun };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a program may exit while a call hangs", async () => {
  const { code, stdout, ms } = await ending(60_000, "Deno.exit(7);");
  assert.deepEqual([code, stdout], [7, ""]);
  assert.ok(ms < 50_000);
});

Deno.test("a program that a defect ends while a call hangs ends as one, and no thread spoils it", async () => {
  assert.equal((await ending(300, `for (let i = 0; i < 20; i++) hang(1 + i); throw new Error("a defect");`)).code, 1);
});

const BESIDE = "for (const until = performance.now() + 600; performance.now() < until;) await hang(0);";
for (const [what, then] of [["nothing", ""], ["many calls", BESIDE]] as const) {
  Deno.test(`a program with ${what} beside a call does not end before the call has, and no later`, async () => {
    const { code, stdout, ms } = await ending(400, then);
    assert.deepEqual([code, stdout], [0, "came back\n"]);
    assert.ok(ms < 30_000);
  });
}
