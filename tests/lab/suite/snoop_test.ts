/**
 * `prmig snoop` on real LUNs: guests' part is played by a client of the protocol.
 */
import assert from "node:assert/strict";
import { O_RDONLY } from "../../../lib/sys/fd.ts";
import { eventually, NodeClient, pause, startSnoop } from "../helpers.ts";
import { events, stateOf, told, tracked } from "../snooping.ts";
import { labTest, lun, preempt, readState, register, reserve, resetLun } from "../support.ts";

const K = 0x123abcn, OTHER = 0xdef0n;
const REGISTER = 0, RESERVE = 1, RELEASE = 2, CLEAR = 3, PREEMPT = 4, RAIEK = 6;

function metric(text: string, name: string): number {
  return text.split("\n").filter((line) => line.startsWith(name)).reduce(
    (sum, line) => sum + Number(line.split(" ").at(-1)),
    0,
  );
}

labTest("a client registers, reserves, releases and unregisters; the book follows without asking the LUN", async () => {
  const { designator, nexuses: { A, B } } = lun();
  const where = { designator, hctl: A.hctl };
  const helper = await startSnoop({ args: ["--json", "--metrics", "/run/prmig.prom"] });
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    assert.equal((await guest.prOut(REGISTER, 0n, K)).status, 0);
    assert.equal((await guest.prOut(RESERVE, K, 0n, 5)).status, 0);
    await tracked(K, 5, where);
    assert.deepEqual((await readState(B)).reservation, { key: K, type: 5 });
    assert.equal((await guest.prOut(RELEASE, K, 0n, 5)).status, 0);
    assert.equal((await guest.prOut(REGISTER, K, 0n)).status, 0);
    await tracked(0n, 0, where);
    const done = events(helper).filter(({ event }) => event === "prOut");
    assert.deepEqual(done.map(({ serviceAction, status }) => [serviceAction, status]), [
      ["REGISTER", "GOOD"],
      ["RESERVE", "GOOD"],
      ["RELEASE", "GOOD"],
      ["REGISTER", "GOOD"],
    ]);
    const [, second] = done;
    assert.deepEqual([second?.device, second?.lun, second?.key, second?.type], [A.sd, designator, K, 5]);
    assert.deepEqual([second?.before, second?.after], [{ key: K, type: 0 }, { key: K, type: 5 }]);
    assert.equal(second?.pid, Deno.pid);
  } finally {
    const { code, stderr } = await helper.stop();
    assert.equal(code, 0, stderr);
  }
  const metrics = Deno.readTextFileSync("/run/prmig.prom");
  assert.equal(metric(metrics, "prmig_snoop_extra_commands_total"), 0);
  assert.equal(metric(metrics, "prmig_snoop_commands_total"), 4);
  assert.throws(() => Deno.lstatSync(helper.socket), Deno.errors.NotFound);
});

labTest("what a reply does not prove is asked: PREEMPT, all registrants, conflicts, the client's own key", async () => {
  const { designator, nexuses: { A, B } } = lun();
  const where = { designator, hctl: A.hctl };
  const helper = await startSnoop();
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    await guest.prOut(REGISTER, 0n, K);
    await register(B, OTHER);
    await reserve(B, OTHER, 5);
    assert.equal((await guest.prOut(RESERVE, K, 0n, 5)).status, 0x18);
    assert.equal((await guest.prOut(PREEMPT, K, OTHER, 6)).status, 0);
    await tracked(K, 6, where);
    await register(B, OTHER);
    assert.equal((await guest.prOut(PREEMPT, K, OTHER, 6)).status, 0);
    await tracked(K, 6, where); // registrations only: still the holder
    assert.equal((await guest.prOut(RELEASE, K, 0n, 6)).status, 0);
    await register(B, OTHER);
    await reserve(B, OTHER, 8);
    assert.equal((await guest.prOut(PREEMPT, K, 0n, 7)).status, 0);
    await tracked(K, 7, where);
    assert.equal((await guest.prOut(CLEAR, K, 0n)).status, 0);
    await tracked(0n, 0, where);
    assert.equal((await guest.prOut(RAIEK, 0n, K)).status, 0);
    assert.equal((await guest.prOut(PREEMPT, K, K, 5)).status, 0); // no reservation: takes the sender's own registration
    const { registrants } = await readState(B);
    await tracked(registrants.some(({ key }) => key === K) ? K : 0n, 0, where);
  } finally {
    await helper.stop();
  }
});

labTest("a guest that was fenced gets its unit attention, and the book says that it holds nothing", async () => {
  const { designator, nexuses: { A, B } } = lun();
  const helper = await startSnoop({ args: ["--json"] });
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    await guest.prOut(REGISTER, 0n, K);
    await guest.prOut(RESERVE, K, 0n, 5);
    await register(B, OTHER);
    await preempt(B, OTHER, K, 5);
    const first = await guest.prIn(0);
    assert.deepEqual([first.status, first.sense[2], first.sense[12], first.sense[13]], [2, 6, 0x2a, 5]);
    assert.equal((await guest.prIn(0)).status, 0);
    await tracked(0n, 0, { designator, hctl: A.hctl });
    const found = await eventually("a difference", () => events(helper).find(({ event }) => event === "difference"));
    assert.deepEqual([found.before, found.after?.key], [{ key: K, type: 5 }, 0n]);
  } finally {
    await helper.stop();
  }
});

labTest("what changed while no helper ran is told, and the LUN is believed", async () => {
  const { designator, nexuses: { A, B } } = lun();
  const first = await startSnoop();
  {
    using guest = await NodeClient.open(first.socket, A.sd);
    await guest.prOut(REGISTER, 0n, K);
    await guest.prOut(RESERVE, K, 0n, 5);
    await first.stop();
  }
  assert.deepEqual(told(stateOf(designator, A.hctl)), [K, 5]);
  await register(B, OTHER);
  await preempt(B, OTHER, K, 5);
  const second = await startSnoop({ args: ["--json"] });
  try {
    using guest = await NodeClient.open(second.socket, A.sd);
    assert.equal((await guest.prIn(0)).status, 2); // 2A/05
    const found = await eventually("a difference", () => events(second).find(({ event }) => event === "difference"));
    assert.deepEqual([found.before, found.after?.key, found.after?.type], [{ key: K, type: 5 }, 0n, 0]);
    await tracked(0n, 0, { designator, hctl: A.hctl });
  } finally {
    await second.stop();
  }
});

labTest("SIGKILL between REGISTER and RESERVE: the next helper remembers, asks the LUN, and goes on", async () => {
  const { designator, nexuses: { A } } = lun();
  const where = { designator, hctl: A.hctl };
  const first = await startSnoop();
  {
    using guest = await NodeClient.open(first.socket, A.sd);
    await guest.prOut(REGISTER, 0n, K);
    await eventually("the file", () => stateOf(designator, A.hctl)?.key === K);
    await first.kill();
  }
  const second = await startSnoop({ socket: first.socket, args: ["--json"] }); // over the dead socket's file
  try {
    using guest = await NodeClient.open(second.socket, A.sd);
    assert.equal((await guest.prOut(RESERVE, K, 0n, 3)).status, 0);
    await tracked(K, 3, where);
    await eventually("the event", () => events(second).length > 0);
    assert.deepEqual(events(second).map(({ event }) => event), ["prOut"]);
  } finally {
    await second.stop();
  }
});

labTest("a reservation from before the helper is adopted at the first word", async () => {
  const { designator, nexuses: { A } } = lun();
  await register(A, K);
  await reserve(A, K, 1);
  const helper = await startSnoop({ args: ["--json"] });
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    assert.equal((await guest.prIn(0)).status, 0);
    await tracked(K, 1, { designator, hctl: A.hctl });
    assert.deepEqual(events(helper).map(({ event }) => event), ["adopted"]);
  } finally {
    await helper.stop();
  }
});

labTest(
  "REPORT CAPABILITIES is masked in byte 2, 0Ch, and what it hides is refused; --no-mask turns both off",
  async () => {
    const { nexuses: { A } } = lun();
    const list = new Uint8Array(24);
    new DataView(list.buffer).setBigUint64(8, K);
    const withFlags = (flags: number): Uint8Array => Object.assign(list.slice(), { 20: flags });
    const register = Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0);
    const move = Uint8Array.of(0x5f, 7, 0, 0, 0, 0, 0, 0, 24, 0);
    for (const mask of [true, false]) {
      const helper = await startSnoop({ args: mask ? [] : ["--no-mask"] });
      try {
        using guest = await NodeClient.open(helper.socket, A.sd);
        const { data } = await guest.prIn(2, 8);
        assert.equal(data.length, 8);
        assert.equal(data[2]! & 0x0c, mask ? 0 : 0x0c);
        assert.equal(data[2]! & 0x01, 0x01);
        const allPorts = await guest.send(register, withFlags(0x04));
        assert.deepEqual([allPorts.status, allPorts.sense[12]], mask ? [2, 0x26] : [0, 0]);
        const moved = await guest.send(move, list);
        assert.deepEqual(
          [moved.status === 2, moved.sense[12]],
          mask ? [true, 0x24] : [moved.status === 2, moved.sense[12]],
        );
      } finally {
        await helper.stop();
      }
      await resetLun();
    }
  },
);

labTest("two living clients on one nexus are warned about, once; two nexuses are not", async () => {
  const { nexuses: { A, B } } = lun();
  const helper = await startSnoop({ args: ["--json"] });
  const script = `
    import { NodeClient } from "${new URL("../helpers.ts", import.meta.url).href}";
    using guest = await NodeClient.open(Deno.args[0], Deno.args[1]);
    await guest.prOut(6, 0n, 0x77n);
    console.log("registered");
    await new Promise((resolve) => setTimeout(resolve, 30000));`;
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  Deno.writeTextFileSync(path, script);
  const other = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", path, helper.socket, B.sd],
    stdout: "piped",
  }).spawn();
  const third = (node: string): Deno.ChildProcess =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--cached-only", path, helper.socket, node],
      stdout: "piped",
    }).spawn();
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    await guest.prOut(REGISTER, 0n, K);
    await other.stdout.getReader().read();
    await pause(200);
    assert.equal(events(helper).filter(({ event }) => event === "shared").length, 0, "two nexuses");
    const rival = third(A.sg); // the same path by its other name
    await rival.stdout.getReader().read();
    const found = await eventually("the warning", () => events(helper).find(({ event }) => event === "shared"));
    assert.match(found.note ?? "", new RegExp(`${rival.pid}`));
    await guest.prOut(REGISTER, 0x77n, K);
    assert.equal(events(helper).filter(({ event }) => event === "shared").length, 1);
    rival.kill("SIGKILL");
    await rival.status;
  } finally {
    other.kill("SIGKILL");
    await other.status;
    await helper.stop();
  }
});

labTest("a read-only descriptor reads, and answers PR OUT with 05/20/00", async () => {
  const { nexuses: { A } } = lun();
  const helper = await startSnoop();
  try {
    using guest = await NodeClient.open(helper.socket, A.sd, O_RDONLY);
    assert.equal((await guest.prIn(0)).status, 0);
    const refused = await guest.prOut(REGISTER, 0n, K);
    assert.deepEqual([refused.status, refused.sense[2], refused.sense[12], refused.sense[13]], [2, 5, 0x20, 0]);
  } finally {
    await helper.stop();
  }
});

labTest("during a hand-over's window guests' PR OUTs are answered BUSY, and nothing else is", async () => {
  const { designator, nexuses: { A } } = lun();
  const { openWindow, closeWindow } = await import("../../../lib/snoop/window.ts");
  const helper = await startSnoop();
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    await openWindow("/run/prmig", designator, { handOver: "test", pid: Deno.pid, until: Date.now() + 60_000 });
    assert.equal((await guest.prOut(REGISTER, 0n, K)).status, 8);
    assert.equal((await guest.prIn(0)).status, 0);
    await closeWindow("/run/prmig", designator);
    assert.equal((await guest.prOut(REGISTER, 0n, K)).status, 0);
    await openWindow("/run/prmig", designator, { handOver: "test", pid: Deno.pid, until: Date.now() + 300 });
    await pause(400);
    assert.equal((await guest.prOut(REGISTER, K, OTHER)).status, 0, "a window closes by itself");
  } finally {
    await helper.stop();
  }
});
