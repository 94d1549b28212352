import assert from "node:assert/strict";
import { prInCdb, type PrOutAction, prOutCdb } from "../../../lib/pr/cdb.ts";
import { encodePrOut } from "../../../lib/pr/pr_out.ts";
import type { HelperAnswer } from "../../../lib/snoop/helper_protocol.ts";
import { lunFile } from "../../../lib/snoop/state.ts";
import { openWindow } from "../../../lib/snoop/window.ts";
import { SysError } from "../../../lib/sys/errno.ts";
import { DESIGNATOR, HelperScene, type NodeName } from "../../support/helper_scene.ts";

const K = 0x11n, L = 0x22n;
const READ_KEYS = prInCdb("readKeys", 256);
const FULL_STATUS = "A 5e 3";

interface Fields {
  rk?: bigint;
  sark?: bigint;
  type?: number;
  id?: number;
}

function out(scene: HelperScene, name: NodeName, action: PrOutAction, fields: Fields = {}): Promise<HelperAnswer> {
  const { rk = 0n, sark = 0n, type = 0, id } = fields;
  return scene.send(name, prOutCdb({ action, type }), encodePrOut({ rk, sark }), id);
}

function sense({ status, sense }: HelperAnswer): string {
  return [status, sense[2], sense[12], sense[13]].map((n) => (n ?? 0).toString(16)).join("/");
}

Deno.test("register, reserve, release: executed, told, kept, and nothing asked", async () => {
  await using scene = await HelperScene.open();
  assert.equal((await out(scene, "A", "register", { sark: K })).status, 0);
  assert.equal((await out(scene, "A", "reserve", { rk: K, type: 5 })).status, 0);
  const held = await scene.onDisk("A");
  assert.deepEqual([held?.key, held?.type, held?.open, held?.clients.length], [K, 5, null, 1]);
  assert.equal((await out(scene, "A", "release", { rk: K, type: 5 })).status, 0);
  assert.equal((await scene.onDisk("A"))?.type, 0);
  assert.equal(scene.extra, 0);
  assert.deepEqual(scene.events.map(({ serviceAction, status, after }) => [serviceAction, status, after?.type]), [
    ["REGISTER", "GOOD", 0],
    ["RESERVE", "GOOD", 5],
    ["RELEASE", "GOOD", 0],
  ]);
  assert.equal(scene.log.filter(({ message }) => message === "PERSISTENT RESERVE OUT").length, 3);
});

Deno.test("a PREEMPT is answered first, then the LUN is asked once", async () => {
  await using scene = await HelperScene.open();
  await out(scene, "B", "register", { sark: L });
  await out(scene, "B", "reserve", { rk: L, type: 5 });
  await out(scene, "A", "register", { sark: K });
  scene.order.length = 0;
  assert.equal((await out(scene, "A", "preempt", { rk: K, sark: L, type: 6 })).status, 0);
  assert.deepEqual(scene.order, ["A 5f 4", "reply", FULL_STATUS]);
  assert.equal(scene.extra, 1);
  const held = await scene.onDisk("A");
  assert.deepEqual([held?.key, held?.type, held?.open], [K, 6, null]);
});

Deno.test("a unit attention the helper's own question meets is kept for the guest", async () => {
  await using scene = await HelperScene.open();
  await out(scene, "A", "register", { sark: K });
  await out(scene, "B", "register", { sark: L });
  scene.before = (name, cdb) => {
    if (name !== "A" || cdb[0] !== 0x5e) return;
    scene.before = (): void => {};
    const list = encodePrOut({ rk: L, sark: K });
    scene.lun.execute("b", prOutCdb({ action: "preempt", type: 5 }), list); // fenced between the reply and the question
  };
  assert.equal((await out(scene, "A", "preempt", { rk: K, sark: 0x99n, type: 5 })).status, 0x18);
  assert.equal((await scene.onDisk("A"))?.key, 0n);
  scene.order.length = 0;
  assert.equal(sense(await scene.send("A", READ_KEYS)), "2/6/2a/5");
  assert.deepEqual(scene.order, ["reply"], "answered from what was kept");
  assert.equal((await scene.send("A", READ_KEYS)).status, 0);
});

Deno.test("a unit attention of the guest's own command passes untouched, and makes the helper look", async () => {
  await using scene = await HelperScene.open();
  await out(scene, "A", "register", { sark: K });
  await out(scene, "A", "reserve", { rk: K, type: 5 });
  await out(scene, "B", "register", { sark: L });
  await out(scene, "B", "preempt", { rk: L, sark: K, type: 5 });
  assert.equal(sense(await scene.send("A", READ_KEYS)), "2/6/2a/5");
  assert.deepEqual([(await scene.onDisk("A"))?.key, (await scene.onDisk("A"))?.type], [0n, 0]);
  assert.deepEqual(scene.events.at(-1)?.event, "difference");
  assert.equal((await scene.send("A", READ_KEYS)).status, 0);
});

Deno.test("a guest's own READ FULL STATUS is overheard, and costs nothing", async () => {
  await using scene = await HelperScene.open();
  await scene.lun.nexus("A").execute(prOutCdb({ action: "register" }), encodePrOut({ rk: 0n, sark: K }));
  assert.equal((await scene.send("A", prInCdb("readFullStatus", 4096))).status, 0);
  assert.deepEqual([(await scene.onDisk("A"))?.key, scene.extra], [K, 0]);
  assert.equal(scene.events.at(-1)?.event, "adopted");
});

Deno.test("an answer too small to be whole is not believed", async () => {
  await using scene = await HelperScene.open();
  await scene.lun.nexus("A").execute(prOutCdb({ action: "register" }), encodePrOut({ rk: 0n, sark: K }));
  assert.equal((await scene.send("A", prInCdb("readFullStatus", 8))).status, 0);
  assert.deepEqual([(await scene.onDisk("A"))?.key, scene.extra], [K, 1]);
});

Deno.test("what a new helper remembers is held against the LUN at the first command", async () => {
  await using scene = await HelperScene.open();
  await out(scene, "A", "register", { sark: K });
  await out(scene, "A", "reserve", { rk: K, type: 5 });
  await scene.helper.book.flush();
  scene.restart();
  scene.events.length = 0;
  assert.equal((await out(scene, "A", "release", { rk: K, type: 5 })).status, 0);
  assert.deepEqual([scene.extra, scene.events.map(({ event }) => event)], [1, ["prOut"]]);
  await scene.helper.book.flush();
  scene.lun.powerCycle();
  scene.restart();
  scene.events.length = 0;
  await scene.send("A", READ_KEYS); // the power cycle's attention
  assert.deepEqual(scene.events.map(({ event }) => event), ["difference"]);
  assert.equal((await scene.onDisk("A"))?.key, 0n);
});

Deno.test("a corrupt state file is told, set aside and not used", async () => {
  await using scene = await HelperScene.open();
  const file = lunFile(scene.runDirectory, DESIGNATOR);
  Deno.writeTextFileSync(file, '{"format":"prmig-lun/1","nexuses":"none"}');
  await out(scene, "A", "register", { sark: K });
  assert.equal((await scene.onDisk("A"))?.key, K);
  const names = [...Deno.readDirSync(`${scene.runDirectory}/luns`)].map(({ name }) => name);
  assert.ok(names.includes(`${DESIGNATOR}.json.corrupt-1`), names.join());
  assert.ok(scene.log.some(({ message }) => /corrupt/.test(message)));
});

Deno.test("a run directory that cannot be written stops no command", async () => {
  await using scene = await HelperScene.open();
  Deno.removeSync(`${scene.runDirectory}/luns`);
  assert.equal((await out(scene, "A", "register", { sark: K })).status, 0);
  await scene.helper.book.flush();
  assert.ok(scene.metrics.total("state_failures") >= 1);
  Deno.mkdirSync(`${scene.runDirectory}/luns`);
  assert.equal((await out(scene, "A", "reserve", { rk: K, type: 1 })).status, 0);
  assert.equal((await scene.onDisk("A"))?.type, 1);
});

Deno.test("masking: refused by the helper, not by the LUN; without it the LUN decides", async () => {
  const list = encodePrOut({ rk: 0n, sark: K, allTgPt: true });
  {
    await using scene = await HelperScene.open();
    assert.equal(sense(await scene.send("A", prOutCdb({ action: "register" }), list)), "2/5/26/0");
    assert.deepEqual([scene.order, scene.metrics.total("masked")], [["reply"], 1]);
    assert.equal((await scene.send("A", prInCdb("reportCapabilities", 8))).data[2]! & 0x0c, 0);
  }
  await using scene = await HelperScene.open({ mask: false });
  assert.equal((await scene.send("A", prOutCdb({ action: "register" }), list)).status, 0);
  assert.equal((await scene.send("A", prInCdb("reportCapabilities", 8))).data[2]! & 0x0c, 0x0c);
});

Deno.test("during a hand-over PR OUT is answered BUSY without touching the LUN, and PR IN is served", async () => {
  await using scene = await HelperScene.open();
  await openWindow(scene.runDirectory, DESIGNATOR, { handOver: "h", pid: 1, until: Date.now() + 10_000 });
  assert.equal((await out(scene, "A", "register", { sark: K })).status, 8);
  assert.deepEqual([scene.order, scene.events[0]?.status], [["reply"], "BUSY"]);
  assert.equal((await scene.send("A", READ_KEYS)).status, 0);
});

Deno.test("a command that hangs delays no other nexus, and those behind it get BUSY instead of waiting", async () => {
  await using scene = await HelperScene.open({ patienceMs: 30 });
  let release = (): void => {};
  const hang = new Promise<void>((resolve) => release = resolve);
  scene.before = (name) => name === "A" ? hang : undefined;
  const first = out(scene, "A", "register", { sark: K });
  const reads = Array.from({ length: 3 }, () => scene.send("A", READ_KEYS));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal((await out(scene, "B", "register", { sark: L })).status, 0);
  assert.equal((await scene.send("A", READ_KEYS)).status, 8, "a fifth command on the sick nexus");
  assert.equal((await out(scene, "A", "register", { sark: K })).status, 8, "a second PR OUT behind the first");
  release();
  assert.equal((await first).status, 0);
  assert.deepEqual((await Promise.all(reads)).map(({ status }) => status), [0, 0, 0]);
});

Deno.test("the kernel's refusals are answers, and unknown outcomes are asked about", async () => {
  await using scene = await HelperScene.open();
  await out(scene, "A", "register", { sark: K });
  scene.before = (_name, cdb) => {
    if (cdb[0] === 0x5f) throw new SysError("SG_IO", "descriptor", 5);
  };
  assert.equal(sense(await out(scene, "A", "reserve", { rk: K, type: 5 })), "2/b/0/6");
  assert.equal(scene.order.at(-1), FULL_STATUS);
  scene.before = (): void => {
    throw new SysError("SG_IO", "descriptor", 25);
  };
  assert.equal(sense(await out(scene, "A", "reserve", { rk: K, type: 5 })), "2/b/0/6");
  assert.match((await scene.onDisk("A"))?.open ?? "", /could not be asked/);
});

Deno.test("two processes on one nexus are warned about once; two connections of one process are not", async () => {
  await using scene = await HelperScene.open();
  const { connected } = scene.helper.hooks();
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  try {
    connected!({ id: 1, peer: { pid: Deno.pid, uid: 0, gid: 0 } });
    connected!({ id: 2, peer: { pid: Deno.pid, uid: 0, gid: 0 } });
    connected!({ id: 3, peer: { pid: child.pid, uid: 0, gid: 0 } });
    await out(scene, "A", "register", { sark: K, id: 1 });
    await out(scene, "A", "register", { rk: K, sark: L, id: 2 });
    const warnings = (): number => scene.events.filter(({ event }) => event === "shared").length;
    assert.equal(warnings(), 0);
    await out(scene, "A", "register", { rk: L, sark: K, id: 3 });
    await out(scene, "A", "register", { rk: K, sark: L, id: 1 });
    assert.deepEqual([warnings(), scene.helper.book.shared()], [1, 1]);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  await out(scene, "A", "register", { rk: L, sark: K, id: 1 });
  assert.equal(scene.helper.book.shared(), 0, "the other one is gone");
});

Deno.test("short parameter lists reach the LUN and hurt nobody", async () => {
  await using scene = await HelperScene.open();
  for (const length of [0, 8, 16, 23, 25]) {
    const cdb = prOutCdb({ action: "register", parameterListLength: length });
    assert.equal(sense(await scene.send("A", cdb, new Uint8Array(length))), "2/5/1a/0", `${length} bytes`);
  }
});
