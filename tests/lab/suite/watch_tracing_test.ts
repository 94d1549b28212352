/**
 * `prmig watch` as a guest of the kernel's tracing: it is quiet, loses nothing silently, disturbs nobody, leaves
 * nothing behind, and says what it cannot do.
 */
import assert from "node:assert/strict";
import { lun, preempt, prmig, register, resetLun, run } from "../support.ts";
import {
  commands,
  compile,
  control,
  hexKey,
  number,
  sleep,
  startWatch,
  type Told,
  tracing,
  type Watching,
  watchTest,
} from "../watching.ts";

const K = 0x123abcn;
const TRACING = "/sys/kernel/tracing";

function ours(names: readonly string[]): string[] {
  return names.filter((name) => /prmig/.test(name));
}

/** Directory of a watch's instance, below tracefs. */
function instanceOf({ running }: Watching): string {
  return `instances/${tracing().instances.find((name) => name.startsWith(`prmig-${running.pid}-`))}`;
}

function nothingOfOurs(): void {
  const { instances, probes } = tracing();
  assert.deepEqual([ours(instances), ours(probes)], [[], []]);
}

/**
 * A watch of LUN 1 that has nothing to do, started early: the runtime collects its garbage once, some 35 s after its last
 * work, and that is no part of being idle.
 */
const idler: { watching?: Promise<Watching>; since: number } = { since: 0 };
const SETTLED_MS = 45_000;

function startIdler(): Promise<Watching> {
  idler.since = performance.now();
  return idler.watching ??= startWatch(["--poll", "0", lun(1).nexuses.C.sd], { outlivesTest: true });
}

watchTest("a burst of 2,000 commands: none is lost, or the loss is told with a count", async () => {
  const { A, C } = lun().nexuses;
  const program = await compile("pr_out");
  const [watching] = await Promise.all([startWatch(["--poll", "0", C.sd]), startIdler()]);
  assert.equal(await number([program, A.sd, "6", "0", "0", hexKey(K), "2000"]), 0);
  const last = hexKey(K + 1999n);
  const told = await watching.until("the last command", (now) => now.some(({ newKey }) => newKey === last), 120_000);
  const keys = told.filter(({ event }) => event === "prOut").map(({ newKey }) => newKey);
  const wanted = Array.from({ length: 2000 }, (_, i) => hexKey(K + BigInt(i)));
  const lost = told.filter(({ event }) => event === "lost");
  if (lost.length === 0) assert.deepEqual(keys, wanted);
  else for (const { count } of lost) assert.ok(count! > 0, "a loss is counted");
  await watching.stop();
});

watchTest("a reader that is held up reports what was lost, with a count", async () => {
  const { A, C } = lun().nexuses;
  const program = await compile("pr_out");
  const watching = await startWatch(["--poll", "0", C.sd]);
  control(`${instanceOf(watching)}/buffer_size_kb`, "8");
  watching.running.kill("SIGSTOP");
  await number([program, A.sd, "6", "0", "0", hexKey(K), "400"]);
  watching.running.kill("SIGCONT");
  const told = await watching.until("the loss", (now) => now.some(({ event }) => event === "lost"));
  const lost = told.find(({ event }) => event === "lost")!;
  assert.ok(lost.count! > 100, JSON.stringify(lost));
  const after = await watching.until(
    "the state read anew",
    (now) => now.some(({ event, after }) => event === "change" && after?.registrations?.[0]?.key === hexKey(K + 399n)),
  );
  assert.ok(after.length > 0);
  await watching.stop();
});

watchTest("idle for 30 s with --poll 0: no SCSI command, and less than 1 % of a processor", async () => {
  const watching = await (idler.watching ?? startIdler());
  await sleep(Math.max(0, idler.since + SETTLED_MS - performance.now()));
  const requests = (): string[] =>
    Object.values(lun(1).nexuses).map(({ hctl }) =>
      Deno.readTextFileSync(`/sys/class/scsi_device/${hctl}/device/iorequest_cnt`).trim()
    );
  const ticks = (): number => {
    const stat = Deno.readTextFileSync(`/proc/${watching.running.pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  const [requestsBefore, ticksBefore] = [requests(), ticks()];
  await sleep(30_000);
  const seconds = (ticks() - ticksBefore) / 100;
  const { code } = await watching.stop();
  assert.deepEqual(requests(), requestsBefore);
  assert.ok(seconds < 0.3, `${seconds} s of processor time in 30 s`);
  assert.equal(code, 130);
});

watchTest("SIGKILL leaves an instance and probes, the next start removes them, SIGINT leaves nothing", async () => {
  const { C } = lun().nexuses;
  const killed = await startWatch(["--poll", "0", C.sd]);
  killed.running.kill("SIGKILL");
  await killed.running.finished;
  const left = tracing();
  assert.equal(ours(left.instances).length, 1);
  assert.equal(ours(left.probes).length, 9);
  const next = await startWatch(["--poll", "0", C.sd]);
  const now = tracing();
  assert.deepEqual(ours(now.instances).filter((name) => left.instances.includes(name)), []);
  assert.deepEqual(ours(now.probes).filter((name) => left.probes.includes(name)), []);
  assert.equal(ours(now.probes).length, 9);
  assert.match(next.told().find(({ source }) => source === "kernel")!.note!, /removed what a killed prmig had left/);
  const { code, stderr } = await next.stop();
  assert.deepEqual([code, stderr], [130, ""]);
  nothingOfOurs();
});

watchTest("two watches and somebody else's tracing do not disturb each other", async () => {
  const { A, C } = lun().nexuses;
  control("kprobe_events", "p:somebody/theirs sd_open");
  Deno.mkdirSync(`${TRACING}/instances/somebody`);
  control("instances/somebody/events/somebody/theirs/enable", "1");
  control("events/sched/sched_process_exit/enable", "1");
  try {
    const [first, second] = await Promise.all([
      startWatch(["--poll", "0", C.sd]),
      startWatch(["--poll", "0", A.sg]),
    ]);
    await register(A, K);
    const [one, two] = await Promise.all(
      [first, second].map((watching) => watching.until("the command", (now) => commands(now).length >= 1)),
    );
    const action = (told: Told[]): unknown =>
      told.filter(({ event }) => event === "prOut").map((t) => [t.newKey, t.status]);
    assert.deepEqual(action(one!), [[hexKey(K), "GOOD"]]);
    assert.deepEqual(action(two!), action(one!));
    await first.stop();
    await register(A, K + 1n);
    await second.until("the command after the other watch had ended", (now) => commands(now).length >= 2);
    await second.stop();
    nothingOfOurs();
    assert.ok(tracing().probes.includes("p:somebody/theirs"));
    assert.equal(Deno.readTextFileSync(`${TRACING}/instances/somebody/events/somebody/theirs/enable`).trim(), "1");
    assert.equal(Deno.readTextFileSync(`${TRACING}/events/sched/sched_process_exit/enable`).trim(), "1");
  } finally {
    control("events/sched/sched_process_exit/enable", "0");
    Deno.removeSync(`${TRACING}/instances/somebody`);
    control("kprobe_events", "-:somebody/theirs");
  }
});

watchTest("the self-test finds silent probes, and commands are told with unknown keys", async () => {
  const { A, C } = lun().nexuses;
  await run(["sysctl", "-q", "kernel.ftrace_enabled=0"]);
  try {
    const watching = await startWatch(["--poll", "1s", C.sd]);
    const begun = watching.told().find(({ source }) => source === "kernel")!;
    assert.match(begun.note!, /stayed silent.*kernel\.ftrace_enabled is 0/);
    await register(A, K);
    const told = await watching.until("the change", (now) => now.some(({ event }) => event === "change"));
    const command = told.find(({ event }) => event === "prOut")!;
    assert.deepEqual(
      [command.serviceAction, command.key, command.newKey, command.status, command.note],
      ["REGISTER AND IGNORE EXISTING KEY", null, null, "GOOD", "keys unknown"],
    );
    await watching.stop();
  } finally {
    await run(["sysctl", "-q", "kernel.ftrace_enabled=1"]);
  }
  nothingOfOurs();
});

watchTest("somebody turns our tracing off: watch ends, says so, and leaves nothing", async () => {
  const { C } = lun().nexuses;
  const watching = await startWatch(["--poll", "1s", C.sd]);
  control(`${instanceOf(watching)}/tracing_on`, "0");
  const { code, stderr } = await watching.running.finished;
  assert.equal(code, 1);
  assert.match(JSON.parse(stderr).error.message, /turned off/);
  nothingOfOurs();
});

watchTest("without tracefs, and with a read-only one: watch says so and reads the LUN", async (t) => {
  const { A, C } = lun().nexuses;
  await t.step("not mounted", async () => {
    await run(["umount", TRACING]);
    try {
      const { code, stderr } = await prmig(["watch", "--json", "--poll", "0", C.sd]);
      assert.deepEqual([code, JSON.parse(stderr).error.remedy], [4, `mount -t tracefs tracefs ${TRACING}`]);
      const watching = await startWatch(["--poll", "200ms", C.sd]);
      assert.match(
        watching.told().find(({ source }) => source === "kernel")!.note!,
        /tracefs is not mounted.*only read/,
      );
      await register(A, K);
      const told = await watching.until("the change", (now) => now.some(({ event }) => event === "change"));
      assert.match(told.find(({ event }) => event === "change")!.note!, new RegExp(`${hexKey(K)} .*registered`));
      assert.deepEqual(commands(told), []);
      await watching.stop();
    } finally {
      await run(["mount", "-t", "tracefs", "tracefs", TRACING]);
    }
  });
  await t.step("read-only", async () => {
    await run(["mount", "-o", "remount,ro", TRACING]);
    try {
      const { code, stderr } = await prmig(["watch", "--json", "--poll", "0", C.sd]);
      assert.equal(code, 4, stderr);
      assert.match(JSON.parse(stderr).error.message, /read-only/);
    } finally {
      await run(["mount", "-o", "remount,rw", TRACING]);
    }
  });
});

watchTest("a LUN that disappears: watch says so and goes on with the others", async () => {
  const { A } = lun(0).nexuses;
  const gone = lun(1).nexuses.B;
  const watching = await startWatch(["--poll", "200ms", lun(0).nexuses.C.sd, gone.sd], { witnesses: 3 });
  await Deno.writeTextFile(`/sys/class/scsi_device/${gone.hctl}/device/delete`, "1");
  await watching.until("the end of one", (now) => now.some((t) => t.event === "down" && t.device === gone.sd));
  await register(A, K);
  await watching.until(
    "a change of the other",
    (now) => now.some((t) => t.event === "change" && t.device === lun(0).nexuses.C.sd),
  );
  await watching.stop();
  await resetLun(1);
});

watchTest("--until ends with 0 as soon as the condition holds, and with 1 when it does not in time", async () => {
  const { A, B, C } = lun().nexuses;
  await register(A, K);
  await register(B, K + 1n);
  const watching = await startWatch(["--until", `no-key=${hexKey(K)}`, "--timeout", "60s", C.sd]);
  await preempt(B, K + 1n, K, 5);
  assert.equal((await watching.running.finished).code, 0);
  const { code, stderr } = await prmig(["watch", "--until", "holder", "--timeout", "1s", C.sd]);
  assert.equal(code, 1);
  assert.match(stderr, /"holder" has not come true/);
});
