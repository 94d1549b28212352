/**
 * `prmig send | prmig recv` on the real kernel: the first promise of the product.
 */
import assert from "node:assert/strict";
import {
  drainAttentions,
  type Finished,
  labTest,
  lun,
  type NexusName,
  pipe,
  prmig,
  prmigCommand,
  readState,
  register,
  reserve,
  run,
  startSshd,
  write,
} from "../support.ts";

const K = 0x123abcn;

/** A registered and, but for type 0, holding; C sharing its key or not. */
async function scene(type: number, keyOfC = K): Promise<void> {
  const { A, C } = lun().nexuses;
  await register(A, K);
  await register(C, keyOfC);
  if (type !== 0) await reserve(A, K, type);
  await drainAttentions();
}

/** Who is registered under which key, and who holds, by the names of the nexuses. */
async function state(): Promise<{ registered: string[]; holders: string[]; type: number }> {
  const { nexuses } = lun();
  const seen = await readState(nexuses.C);
  const nameOf = (port: string): string =>
    (["A", "B", "C"] as NexusName[]).find((name) => nexuses[name].initiatorPort === port) ?? port;
  return {
    registered: seen.registrants.map((r) => `${nameOf(r.initiatorPort)} ${r.key.toString(16)}`).sort(),
    holders: seen.registrants.filter((r) => r.holder).map((r) => nameOf(r.initiatorPort)).sort(),
    type: seen.reservation?.type ?? 0,
  };
}

/** Runs `send | recv` to the end. */
async function handOver(from: string, to: readonly string[], options: readonly string[] = []): Promise<Finished[]> {
  const { left, right } = pipe(prmigCommand(["send", from, ...options]), prmigCommand(["recv", ...to, ...options]));
  return await Promise.all([left.finished, right.finished]);
}

function ended(finished: readonly Finished[], codes: readonly number[]): void {
  assert.deepEqual(finished.map((f) => f.code), codes, finished.map((f) => f.stderr).join("\n---\n"));
}

const PR_OUT = /RESERVE OUT, (\w[\w ]*),.* -> (\w[\w ]*)/;

for (const type of [5, 8, 0]) {
  labTest(`send | recv moves type ${type}; a nexus that shares the key keeps its registration`, async () => {
    await scene(type);
    const { A, B } = lun().nexuses;
    ended(await handOver(A.sd, [B.sd]), [0, 0]);
    assert.deepEqual(await state(), {
      registered: [`B ${K.toString(16)}`, `C ${K.toString(16)}`],
      holders: type === 0 ? [] : type === 8 ? ["B", "C"] : ["B"],
      type,
    });
    if (type === 0) return;
    assert.equal(await write(B), "ok");
    assert.equal(await write(A), "conflict");
  });
}

for (const type of [1, 3, 6, 7]) {
  labTest(`send | recv moves type ${type}`, async () => {
    await scene(type, 0xccccn);
    const { A, B } = lun().nexuses;
    ended(await handOver(A.sg, [B.sg]), [0, 0]);
    assert.deepEqual(await state(), {
      registered: [`B ${K.toString(16)}`, "C cccc"],
      holders: type === 7 ? ["B", "C"] : ["B"],
      type,
    });
  });
}

labTest("a hand-over sends the token protocol's PR OUTs and no others, and -v shows them", async () => {
  await scene(5, 0xccccn);
  const { A, B } = lun().nexuses;
  const [send, recv] = await handOver(A.sd, [B.sd], ["-v"]);
  ended([send!, recv!], [0, 0]);
  const sent = (f: Finished): string[] =>
    f.stderr.split("\n").flatMap((line) => PR_OUT.exec(line)?.slice(1).join(": ") ?? []);
  assert.deepEqual(sent(send!), ["REGISTER: GOOD"]);
  assert.deepEqual(sent(recv!), ["REGISTER: GOOD", "PREEMPT: GOOD"]);
});

labTest("recv finds the LUN by its designator, through a nexus that is not the source's", async () => {
  await scene(5, 0xccccn);
  ended(await handOver(lun().nexuses.A.byId, []), [0, 0]);
  const { holders, registered } = await state();
  assert.deepEqual([holders, registered.length], [["B"], 2]);
});

labTest("over a real ssh root@localhost, by /dev/disk/by-id", async () => {
  await scene(5);
  const { A, B } = lun().nexuses;
  const sshd = await startSshd();
  try {
    const { left, right } = pipe(prmigCommand(["send", A.byId]), [...sshd.command, ...prmigCommand(["recv", B.byId])]);
    ended(await Promise.all([left.finished, right.finished]), [0, 0]);
    assert.deepEqual((await state()).holders, ["B"]);
    // And back, talking both ways.
    const to = [...sshd.command, ...prmigCommand(["recv", A.byId])].join(" ");
    ended([await prmig(["send", B.byId, "--to", to])], [0]);
    assert.deepEqual((await state()).holders, ["A"]);
  } finally {
    await sshd.stop();
  }
});

labTest("recv killed before it takes: send restores the key and exits 1, the LUN is as before", async () => {
  await scene(5, 0xccccn);
  const before = await state();
  const { A, B } = lun().nexuses;
  const { left, right } = pipe(
    prmigCommand(["send", A.sd, "--timeout", "8s"]),
    prmigCommand(["recv", B.sd]),
  );
  // Stopped, not killed yet: so that the kill comes surely after the registration and before the PREEMPT.
  await until(() => right.printed().stderr.includes("prepare:"));
  right.kill("SIGSTOP");
  await until(async () => /commit:/.test(left.printed().stderr) || (await state()).registered.length === 2);
  right.kill("SIGKILL");
  const [send] = await Promise.all([left.finished, right.finished]);
  const { registered } = await state();
  assert.equal(send.code, 1, send.stderr);
  assert.match(send.stderr, /LUN: as before/);
  assert.deepEqual({ ...await state(), registered }, before);
});

labTest(
  "source killed after commit: the state is the documented one, and a second send says what is wrong",
  async () => {
    await scene(5, 0xccccn);
    const { A } = lun().nexuses;
    // The destination registers and never takes: sg_persist plays it.
    const left = pipe(prmigCommand(["send", A.sd, "--timeout", "20s"]), [
      "sh",
      "-c",
      "cat > /dev/null; exec sleep 100",
    ]);
    // Not before the offer is made, or B would be a bystander that shares the key.
    await until(() => left.left.printed().stdout.includes('"record":"end"'));
    await register(lun().nexuses.B, K);
    await until(() => left.left.printed().stderr.includes("commit:"));
    await until(async () => (await state()).registered.some((r) => r.startsWith("A 70726d67")));
    left.left.kill("SIGKILL");
    left.right.kill("SIGKILL");
    await Promise.all([left.left.finished, left.right.finished]);
    // Documented (docs/hand-over.md): the source still holds, under the one-time key; nobody else can reserve the LUN.
    assert.deepEqual((await state()).holders, ["A"]);
    const second = await prmig(["send", A.sd, "--to", "cat > /dev/null"]);
    assert.equal(second.code, 3, second.stderr);
    assert.match(second.stderr, /one-time key 0x70726d67/);
    assert.match(second.stderr, /try: prmig recover/);
  },
);

labTest("recv on another LUN than the one offered: exit 3, nothing sent to it", async () => {
  await scene(5, 0xccccn);
  const { A } = lun().nexuses;
  const other = lun(1).nexuses.B;
  const [send, recv] = await handOver(A.sd, [other.sd], ["--timeout", "6s"]);
  ended([send!, recv!], [1, 3]);
  assert.match(recv!.stderr, /but the source offers/);
  const { generation, registrants } = await readState(other);
  assert.deepEqual({ generation, registrants }, { generation: 0, registrants: [] });
});

labTest("both sides on one device, a destination that is registered already, a source that is not", async () => {
  await scene(5, 0xccccn);
  const { A, B } = lun().nexuses;
  const same = await handOver(A.sd, [A.sg], ["--timeout", "6s"]);
  ended(same, [1, 3]);
  assert.match(same[1]!.stderr, /source's own nexus/);
  await register(B, 0xbbbbn);
  const already = await handOver(A.sd, [B.sd], ["--timeout", "6s"]);
  ended(already, [1, 3]);
  assert.match(already[1]!.stderr, /already registered with .*, under 0x000000000000bbbb/);
  await run(["sg_persist", "--out", "--register", "--param-rk=0xbbbb", B.sg]);
  ended([await prmig(["send", B.sd, "--to", "cat > /dev/null"])], [3]);
});

labTest("a disk without room for the journal: either side refuses before it touches the LUN", async () => {
  await scene(5, 0xccccn);
  const { A, B } = lun().nexuses;
  const before = { ...await state(), generation: (await readState(lun().nexuses.C)).generation };
  const full = "/run/full-disk";
  await Deno.mkdir(`${full}`, { recursive: true });
  assert.equal((await run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", full])).code, 0);
  try {
    // The directory for the journal can be had, and not one byte in it.
    await Deno.mkdir(`${full}/journal`);
    assert.notEqual((await run(["dd", "if=/dev/zero", `of=${full}/filling`, "bs=4k"])).code, 0);
    const onFullDisk = (words: string[]): string[] => ["env", `PRMIG_STATE_DIR=${full}`, ...prmigCommand(words)];
    const send = await run(onFullDisk(["send", A.sd, "--to", "cat > /dev/null"]));
    assert.equal(send.code, 1, send.stderr);
    assert.match(send.stderr, /Cannot write the journal [^]*No space left on device/);
    assert.deepEqual({ ...await state(), generation: (await readState(lun().nexuses.C)).generation }, before);
    const { left, right } = pipe(prmigCommand(["send", A.sd, "--timeout", "6s"]), onFullDisk(["recv", B.sd]));
    const both = await Promise.all([left.finished, right.finished]);
    ended(both, [1, 1]);
    assert.match(both[1]!.stderr, /Cannot write the journal [^]*No space left on device/);
    assert.deepEqual({ ...await state(), generation: (await readState(lun().nexuses.C)).generation }, before);
  } finally {
    await run(["umount", full]);
  }
});

async function until(test: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!await test()) {
    if (Date.now() > deadline) throw new Error("waited 30 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
