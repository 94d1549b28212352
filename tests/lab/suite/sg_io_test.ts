/**
 * Commands through SG_IO on a real kernel: what comes back, and what a time limit, a signal or a vanished device do.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { prIn, prOut } from "../../../lib/pr/commands.ts";
import type { Nexus, Reply } from "../../../lib/pr/nexus.ts";
import { decodeReadKeys } from "../../../lib/pr/read_keys.ts";
import { classify } from "../../../lib/scsi/outcome.ts";
import { decodeSense } from "../../../lib/scsi/sense.ts";
import { openSgDevice } from "../../../lib/sg/device.ts";
import { closeFd, O_NONBLOCK, O_RDWR, openFd } from "../../../lib/sys/fd.ts";
import { withSlowDisk } from "../slow_disk.ts";
import { labTest, lun, preempt, readState, register, REPOSITORY, reserve, run } from "../support.ts";

const K = 0x123abcn;
const OTHER = 0xdef0n;
const TEST_UNIT_READY = new Uint8Array(6);
const WRITE_ONE_BLOCK = Uint8Array.of(0x2a, 0, 0, 0, 8, 0, 0, 0, 1, 0);

async function throughNode<T>(address: string, body: (nexus: Nexus) => Promise<T>, writable = true): Promise<T> {
  const nexus = await openSgDevice(address, { writable });
  try {
    return await body(nexus);
  } finally {
    nexus.close();
  }
}

async function keysThrough(nexus: Nexus): Promise<bigint[]> {
  const keys = decodeReadKeys((await prIn(nexus, "readKeys", 8192)).dataIn);
  assert.equal(keys.kind, "complete");
  return keys.kind === "complete" ? [...keys.keys] : [];
}

for (const kind of ["sd", "sg", "byId"] as const) {
  labTest(`PERSISTENT RESERVE through ${kind}: sg_persist sees what was done`, async () => {
    const { A, B } = lun().nexuses;
    await throughNode(A[kind], async (nexus) => {
      assert.equal((await prOut(nexus, { action: "register", rk: 0n, sark: K, aptpl: false })).status, 0);
      assert.equal((await prOut(nexus, { action: "reserve", rk: K, type: 5 })).status, 0);
      assert.deepEqual(await keysThrough(nexus), [K]);
    });
    const { registrants, reservation } = await readState(B);
    assert.deepEqual(registrants.map(({ key, holder, initiatorPort }) => ({ key, holder, initiatorPort })), [
      { key: K, holder: true, initiatorPort: A.initiatorPort },
    ]);
    assert.deepEqual(reservation, { key: K, type: 5 });
  });
}

labTest("sd and sg of a path are one nexus", async () => {
  const { A } = lun().nexuses;
  await throughNode(A.sg, (nexus) => prOut(nexus, { action: "register", rk: 0n, sark: K, aptpl: false }));
  await throughNode(A.sg, (nexus) => prOut(nexus, { action: "reserve", rk: K, type: 1 }));
  const released = await throughNode(A.sd, (nexus) => prOut(nexus, { action: "release", rk: K, type: 1 }));
  assert.equal(released.status, 0);
  assert.equal((await readState(A)).reservation, null);
});

labTest("a conflict is a reply: status 18h, no sense, nothing from host or driver", async () => {
  const { A, B } = lun().nexuses;
  await register(A, K);
  await reserve(A, K, 3);
  for (const node of [B.sg, B.sd]) {
    await throughNode(node, async (nexus) => {
      const replies = [
        await prOut(nexus, { action: "register", rk: OTHER, sark: K, aptpl: false }),
        await nexus.execute(WRITE_ONE_BLOCK, new Uint8Array(512)),
      ];
      for (const { status, sense, hostStatus } of replies) {
        assert.deepEqual([status, sense.length, hostStatus], [0x18, 0, 0]);
      }
    });
  }
});

for (const kind of ["sd", "sg"] as const) {
  labTest(`whoever is preempted gets the unit attention in full through ${kind}, once`, async () => {
    const { A, B } = lun().nexuses;
    await register(A, K);
    await reserve(A, K, 5);
    await register(B, OTHER);
    await preempt(B, OTHER, K, 5);
    await throughNode(A[kind], async (nexus) => {
      const first = await prIn(nexus, "readKeys", 8192);
      assert.equal(first.status, 0x02);
      const sense = decodeSense(first.sense);
      assert.deepEqual([sense?.key, sense?.asc, sense?.ascq], [6, 0x2a, 5]);
      assert.equal(classify(first).kind, "unitAttention");
      assert.deepEqual(await keysThrough(nexus), [OTHER]);
    });
  });
}

labTest("data-in is as long as what the device sent", async () => {
  await throughNode(lun().nexuses.A.sg, async (nexus) => {
    const { dataIn } = await nexus.execute(Uint8Array.of(0x12, 1, 0x80, 0, 252, 0), 252);
    assert.equal(dataIn.length, 4 + dataIn[3]!);
    assert.equal(new TextDecoder().decode(dataIn.subarray(4)).replaceAll(/[\0 ]/g, ""), lun().serial);
  }, false);
});

labTest("twenty nexuses at once answer each their own", async () => {
  const { A, B, C } = lun().nexuses;
  await register(A, K);
  const nodes = Array.from({ length: 20 }, (_, i) => [A, B, C][i % 3]![i % 2 ? "sd" : "sg"]);
  const answers = await Promise.all(nodes.map((node) => throughNode(node, keysThrough, false)));
  for (const keys of answers) assert.deepEqual(keys, [K]);
});

labTest("sg and sd read-only carry what root sends", async () => {
  const { A } = lun().nexuses;
  const open = (node: string): Promise<Reply> =>
    throughNode(node, (nexus) => prOut(nexus, { action: "registerAndIgnore", sark: K, aptpl: false }), false);
  assert.equal((await open(A.sg)).status, 0);
  assert.equal((await open(A.sd)).status, 0);
});

for (const kind of ["sd", "sg"] as const) {
  labTest(`without CAP_SYS_RAWIO, ${kind} refuses PERSISTENT RESERVE IN, and prmig says so`, async () => {
    const script = `
      import { openSgDevice } from "${REPOSITORY}/lib/sg/device.ts";
      import { prIn } from "${REPOSITORY}/lib/pr/commands.ts";
      const nexus = await openSgDevice("${lun().nexuses.A[kind]}", { writable: false });
      await prIn(nexus, "readKeys", 8192).catch((e) => console.log(e.kind, e.facts.status, e.facts.remedy));`;
    const deno = [Deno.execPath(), "eval", "--no-check", "--cached-only", "--no-config", "--no-lock", script];
    const { stdout, stderr } = await run(["setpriv", "--bounding-set", "-sys_rawio", ...deno]);
    assert.match(stdout, /^device EPERM run prmig as root/, stderr);
  });
}

labTest("a node that another program holds for itself is busy", async () => {
  const { sg } = lun().nexuses.A;
  const O_EXCL = 0o200;
  const fd = await openFd(sg, O_RDWR | O_EXCL | O_NONBLOCK);
  try {
    await assert.rejects(openSgDevice(sg, { writable: true }), (error: PrmigError) => {
      assert.deepEqual([error.exitCode, error.message.includes("(EBUSY)")], [4, true]);
      return true;
    });
  } finally {
    closeFd(fd);
  }
});

labTest("no signal makes the kernel send a command twice, and the program runs on meanwhile", async () => {
  await withSlowDisk(2000, async (disk) => {
    for (const node of [disk.sg, disk.sd]) {
      let handled = 0;
      let ticks = 0;
      const count = (): void => void handled++;
      const signals = ["SIGHUP", "SIGUSR2", "SIGWINCH"] as const;
      for (const signal of signals) Deno.addSignalListener(signal, count);
      const timer = setInterval(() => ticks++, 50);
      const kills = signals.map((signal) => `kill -${signal.slice(3)} ${Deno.pid}`).join("; ");
      try {
        await throughNode(node, async (nexus) => {
          const before = disk.sentCommands();
          const command = nexus.execute(TEST_UNIT_READY, 0);
          await run(["sh", "-c", `sleep 0.3; for i in 1 2 3 4 5 6 7 8 9 10; do ${kills}; done`]);
          assert.equal((await command).status, 0);
          assert.equal(disk.sentCommands() - before, 1, `${node}: one command`);
        });
      } finally {
        clearInterval(timer);
        for (const signal of signals) Deno.removeSignalListener(signal, count);
      }
      assert.ok(handled >= signals.length, `${handled} signals arrived`);
      assert.ok(ticks >= 10, `${ticks} ticks of 50 ms in 2 s`);
    }
  });
});

labTest("the memory of a command outlives every collection while the device works on it", async () => {
  const PATTERN = 0x5a;
  const BLOCKS = 64;
  const at = (operation: number, block: number): Uint8Array =>
    Uint8Array.of(operation, 0, 0, 0, 0, block, 0, 0, BLOCKS, 0);
  await withSlowDisk(400, async (disk) => {
    await throughNode(disk.sg, async (nexus) => {
      assert.equal((await nexus.execute(at(0x2a, 0), new Uint8Array(BLOCKS * 512).fill(PATTERN))).status, 0);
    });
    const reads = Array.from(
      { length: 6 },
      () => throughNode(disk.sg, (nexus) => nexus.execute(at(0x28, 0), BLOCKS * 512), false),
    );
    const deadline = Date.now() + 600;
    let garbage = 0;
    while (Date.now() < deadline) { // while the commands are under way
      for (let i = 0; i < 50; i++) garbage += new Uint8Array(64 * 1024).fill(0xff).length;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.ok(garbage > 0);
    for (const { status, dataIn } of await Promise.all(reads)) {
      assert.equal(status, 0);
      assert.equal(dataIn.length, BLOCKS * 512);
      assert.ok(dataIn.every((byte) => byte === PATTERN));
    }
  });
});

labTest("a command that exceeds its time is a reply whose outcome is unknown", async () => {
  await withSlowDisk(3000, async (disk) => {
    const started = Date.now();
    const reply = await throughNode(disk.sg, (nexus) => nexus.execute(TEST_UNIT_READY, 0, { timeoutMs: 500 }));
    assert.ok(Date.now() - started < 10_000);
    assert.notEqual(reply.hostStatus, 0);
    assert.equal(classify(reply).kind, "unknown");
  });
});

labTest("closing while a command is under way waits for it", async () => {
  await withSlowDisk(500, async (disk) => {
    const nexus = await openSgDevice(disk.sg, { writable: true });
    const command = nexus.execute(TEST_UNIT_READY, 0);
    const queued = nexus.execute(TEST_UNIT_READY, 0);
    nexus.close();
    const dropped = assert.rejects(queued, /it was closed/);
    assert.equal((await command).status, 0);
    await dropped;
  });
});

labTest("a device that goes away is an error that names it, for the open node and for its name", async () => {
  await withSlowDisk(0, async (disk) => {
    for (const kind of ["sg", "sd"] as const) assert.ok(await throughNode(disk[kind], () => Promise.resolve(true)));
    const nexus = await openSgDevice(disk.sg, { writable: true });
    disk.unplug();
    await assert.rejects(nexus.execute(TEST_UNIT_READY, 0), (error: PrmigError) => {
      assert.ok(error instanceof PrmigError, String(error));
      assert.match(error.message, new RegExp(`${disk.sg}: .*\\((ENODEV|ENXIO)\\)$`));
      return true;
    });
    nexus.close();
    for (const node of [disk.sg, disk.sd]) {
      await assert.rejects(openSgDevice(node, { writable: false }), (error: PrmigError) => error.exitCode === 4);
    }
  });
});
