import assert from "node:assert/strict";
import {
  changeLun,
  CorruptState,
  decodeLun,
  encodeLun,
  lunFile,
  readLun,
  readSnooped,
  type SnoopedLun,
} from "../../../lib/snoop/state.ts";

const LUN: SnoopedLun = {
  lunId: "naa.6001405",
  designator: "naa.6001405",
  nexuses: [{
    nexusId: "2:0:0:0",
    devno: "8:0",
    device: "/dev/sda",
    block: "/dev/sda",
    sg: "/dev/sg0",
    key: 0xffff_ffff_ffff_ffffn,
    type: 5,
    aptpl: null,
    since: "2026-01-01T00:00:00.000Z",
    open: null,
    clients: [{ pid: 7, startTicks: 99, uid: 107, program: "qemu", lastSeen: "2026-01-01T00:00:00.000Z" }],
  }],
};

async function directory(test: (path: string) => Promise<void> | void): Promise<void> {
  const path = Deno.makeTempDirSync({ prefix: "prmig-" });
  Deno.mkdirSync(`${path}/luns`);
  try {
    await test(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

Deno.test("a LUN's file reads back as it was written", () => assert.deepEqual(decodeLun(encodeLun(LUN)), LUN));

Deno.test("decodeLun(): whatever is wrong is CorruptState and nothing else", () => {
  const text = encodeLun(LUN);
  for (let cut = 0; cut < text.length - 2; cut++) assert.throws(() => decodeLun(text.slice(0, cut)), CorruptState);
  const broken = [
    "[]",
    "7",
    text.replace("prmig-lun/1", "prmig-lun/2"),
    text.replace('"0xffffffffffffffff"', '"0x10000000000000000"'),
    text.replace('"type": 5', '"type": "5"'),
    text.replace('"nexuses": [', '"nexuses": 7, "x": ['),
    text.replace('"pid": 7', '"pid": 7.5'),
  ];
  for (const each of broken) assert.throws(() => decodeLun(each), CorruptState, each);
});

Deno.test("lunFile() lets no name out of its directory", () => {
  const below = "/run/prmig/luns/";
  for (const name of ["../../etc/passwd", "..", ".", "a/b", "t10.ACME é\u0000", "", "x".repeat(10)]) {
    const path = lunFile("/run/prmig", name);
    assert.ok(path.startsWith(below), path);
    assert.match(path.slice(below.length), /^[A-Za-z0-9_%:-][A-Za-z0-9._%:-]*\.json$|^\.json$/, path);
  }
  assert.notEqual(lunFile("/r", "a/b"), lunFile("/r", "a%2fb"));
});

Deno.test("changeLun() reads, changes and writes as one step, however many do it at once", async () => {
  await directory(async (run) => {
    const file = lunFile(run, LUN.lunId);
    const add = (pid: number): Promise<void> =>
      changeLun(file, (found) => {
        const [nexus] = found?.nexuses ?? LUN.nexuses;
        const client = { ...LUN.nexuses[0]!.clients[0]!, pid };
        return { ...LUN, nexuses: [{ ...nexus!, clients: [...(found ? nexus!.clients : []), client] }] };
      }, () => assert.fail("nothing is corrupt"));
    await Promise.all(Array.from({ length: 20 }, (_, pid) => add(pid)));
    const pids = readLun(file)!.nexuses[0]!.clients.map(({ pid }) => pid);
    assert.deepEqual(pids.toSorted((a, b) => a - b), Array.from({ length: 20 }, (_, pid) => pid));
    assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
  });
});

Deno.test("changeLun() sets a corrupt file aside and tells where", async () => {
  await directory(async (run) => {
    const file = lunFile(run, LUN.lunId);
    Deno.writeTextFileSync(file, "{");
    const told: string[] = [];
    await changeLun(file, (found) => (assert.equal(found, null), LUN), (movedTo) => told.push(movedTo));
    assert.deepEqual(told, [`${file}.corrupt-1`]);
    assert.deepEqual(readLun(file), LUN);
  });
});

Deno.test("readSnooped() finds the path by H:C:T:L or by a node's name, in the LUN's file alone", async () => {
  await directory((run) => {
    Deno.writeTextFileSync(lunFile(run, LUN.lunId), encodeLun(LUN));
    const ask = (designators: string[], hctl: string | null, ...nodes: string[]): bigint | null | undefined =>
      readSnooped(run, { designators, hctl, nodes })?.nexus.key;
    assert.equal(ask(["naa.9", "naa.6001405"], "2:0:0:0"), 0xffff_ffff_ffff_ffffn);
    assert.equal(ask(["naa.6001405"], null, "/dev/sg0"), 0xffff_ffff_ffff_ffffn);
    assert.equal(ask(["naa.6001405"], "3:0:0:0", "/dev/sdb"), undefined);
    assert.equal(ask([], "2:0:0:0", "/dev/sda"), undefined);
    Deno.writeTextFileSync(lunFile(run, LUN.lunId), "nonsense");
    assert.throws(
      () => ask(["naa.6001405"], "2:0:0:0"),
      (error: Error) => error instanceof CorruptState && error.message.includes(run),
    );
  });
});
