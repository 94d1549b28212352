import assert from "node:assert/strict";
import { colours } from "../../../lib/cli/colour.ts";
import { readDump } from "../../../lib/cli/dump/read.ts";
import { type DumpRecord, type Reading, toRecord } from "../../../lib/cli/dump/record.ts";
import { dumpText } from "../../../lib/cli/dump/text.ts";
import type { OpenDevice } from "../../../lib/cli/open.ts";
import { PrmigError } from "../../../lib/errors.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { readOnly } from "../../../lib/pr/read_only.ts";
import { PROFILES } from "../../../lib/pr/sim/profile.ts";
import type { PrType } from "../../../lib/pr/types.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

/** A LUN with `count` registrations, the first of which holds a reservation of `type` (0: none). */
async function lunWith(count: number, type: number, profile = "spc4"): Promise<MemoryLun> {
  const lun = new MemoryLun({ profile: PROFILES[profile]! });
  for (let i = 0; i < count; i++) {
    const key = BigInt(i + 1);
    assert.equal((await prOut(lun.nexus(`n${i}`), { action: "register", rk: 0n, sark: key, aptpl: false })).status, 0);
  }
  if (type !== 0) await prOut(lun.nexus("n0"), { action: "reserve", rk: 1n, type: type as PrType });
  lun.history.length = 0;
  return lun;
}

function opened(paths: readonly Nexus[], multipath: string | null = null): OpenDevice {
  const node = { block: "/dev/sdb", sg: "/dev/sg3", hctl: "2:0:0:1" };
  return { address: "/dev/sdb", paths: paths.map(readOnly), node, multipath, unusable: [], close: () => {} };
}

for (const type of [0, 1, 3, 5, 6, 7, 8]) {
  for (const profile of ["spc4", "lio", "tgt"]) {
    Deno.test(`readDump(): at most 8 commands, none that writes; type ${type}, ${profile}`, async () => {
      const lun = await lunWith(3, type, profile);
      const { reservation, registrations } = await readDump(opened([lun.nexus("n1")]));
      assert.ok(lun.history.length <= 8, `${lun.history.length} commands`);
      assert.deepEqual([...new Set(lun.history.map(({ cdb }) => cdb[0]))].sort(), [0x12, 0x5e]);
      assert.equal(reservation?.type ?? 0, type);
      assert.equal(registrations.length, 3);
    });
  }
}

Deno.test("readDump(): at most 8 commands with as many registrations as an answer first asked for holds", async () => {
  const lun = await lunWith(64, 5);
  await readDump(opened([lun.nexus("n1")]));
  assert.ok(lun.history.length <= 8, `${lun.history.length} commands`);
});

Deno.test("readDump(): the next path is asked when one is dead; both mark their registrations", async () => {
  const lun = await lunWith(3, 5);
  const dead: Nexus = {
    ...opened([]),
    address: "/dev/sdc",
    initiator: null,
    execute: () => Promise.reject(new PrmigError("device", { message: "dead", lun: "", remedy: "" })),
  };
  const viaSecond = await readDump(opened([dead, lun.nexus("n1")], "mpatha"));
  assert.deepEqual(viaSecond.registrations.map(({ self }) => self), [null, true, null], "the dead path's may be any");
  const both = await readDump(opened([lun.nexus("n0"), lun.nexus("n1")], "mpatha"));
  assert.deepEqual(both.registrations.map(({ self }) => self), [true, true, false]);
  await assert.rejects(readDump(opened([dead, dead])), PrmigError);
});

const reading: Reading = {
  device: "/dev/sdb",
  nodes: {
    sg: "/dev/sg3",
    block: "/dev/sdb",
    hctl: "2:0:0:1",
    multipath: null,
    paths: ["/dev/sdb"],
    unusablePaths: [],
  },
  lun: {
    designator: "naa.6001405aaaaaaaaaaaaaaaaaaaaaaaaa",
    designators: [],
    vendor: "LIO-ORG",
    product: "FILEIO",
    revision: "4.0",
    serial: null,
    deviceType: 0,
    relativeTargetPort: 1,
  },
  state: { generation: 3, reservation: null, registrations: [] },
  isOwn: () => null,
  capabilities: null,
};
const plain = (record: DumpRecord, columns = 80): string => dumpText(record, colours(false), columns);

Deno.test("toRecord(): the fields the contract promises, in its order of words", () => {
  const record = toRecord(reading);
  for (
    const field of [
      ...["device", "block", "hctl", "lun", "generation", "reservation", "registrations", "capabilities", "snooped"],
    ]
  ) assert.ok(field in record, field);
  for (const field of ["designator", "vendor", "product", "revision"]) assert.ok(field in record.lun, field);
});

Deno.test("toRecord(): holders come first, the others stay in the device's order", () => {
  const registrations = [[1n, false], [2n, false], [3n, true], [4n, false]].map(([key, holder]) => ({
    key: key as bigint,
    holder: holder as boolean,
    relativeTargetPort: 1,
    transportId: { protocol: "sas" as const, address: "5000000000000001" },
  }));
  const { registrations: sorted } = toRecord({ ...reading, state: { ...reading.state, registrations } });
  assert.deepEqual(sorted.map(({ key }) => Number(key)), [3, 1, 2, 4]);
});

Deno.test("dumpText(): no line beyond 80 columns, with the longest names there are", () => {
  const name = "iqn.1994-05.com.redhat:" + "x".repeat(200);
  const ids = [
    { protocol: "iscsi", address: `${name},i,0x00023d000001` },
    { protocol: "iscsi", address: "iqn.1994-05.com.redhat:e5c4e4f9bf6,i,0x00023d000001" },
    { protocol: "srp", address: "0123456789abcdef0123456789abcdef" },
    { protocol: "unknown", address: "f".repeat(96) },
  ] as const;
  const registrations = ids.map((transportId, i) => ({
    key: BigInt(i + 1),
    holder: false,
    relativeTargetPort: i === 0 ? "all" as const : 65535,
    transportId,
  }));
  const record = toRecord({ ...reading, state: { ...reading.state, registrations } });
  const lines = plain(record).split("\n");
  assert.deepEqual(lines.filter((line) => line.length > 80), []);
  const start = lines.find((line) => line.includes("INITIATOR"))!.indexOf("INITIATOR");
  const column = lines.map((line) => line.slice(start)).join("");
  for (const { address } of ids) assert.ok(column.includes(address), address);
  assert.ok(lines.some((line) => line.endsWith(",i,0x00023d000001")), "an ISID stays whole");
});

Deno.test("dumpText(): what a device calls itself never reaches the terminal as a command", () => {
  const hostile = "\x1b[2J\x9b31m\nerror: \u202e";
  const transportId = { protocol: "iscsi" as const, address: `iqn.${hostile}` };
  const record = toRecord({
    ...reading,
    device: hostile,
    lun: { ...reading.lun, vendor: hostile, product: hostile, revision: hostile, serial: hostile, designator: hostile },
    state: { ...reading.state, registrations: [{ key: 1n, holder: false, relativeTargetPort: 1, transportId }] },
  });
  const text = plain(record, 2000);
  assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}]/u);
  assert.equal(text.split("\n").some((line) => line.startsWith("error:")), false);
});

Deno.test("dumpText(): a path that cannot be opened is named", () => {
  const unusablePaths = [{ path: "/dev/sdc", reason: "Cannot open /dev/sdc: no device is behind it (ENXIO)" }];
  const text = plain(toRecord({ ...reading, nodes: { ...reading.nodes, multipath: "mpatha", unusablePaths } }));
  assert.match(text, /\n {2}note: Cannot open \/dev\/sdc: no device is behind it \(ENXIO\)$/);
});

Deno.test("dumpText(): a reservation of a type that does not exist, by a device that names nothing", () => {
  const text = plain(toRecord({
    ...reading,
    lun: { ...reading.lun, designator: null },
    state: { ...reading.state, reservation: { key: 7n, type: 2, scope: 1 } },
  }));
  assert.match(text, /lun +not known/);
  assert.match(text, /reservation +reserved type code 2 \(type 2\), scope 1\n/);
  assert.match(text, /held under +0x0000000000000007\n/);
  assert.match(text, /power loss +not known/);
  assert.match(text, /nobody is registered/);
});

Deno.test("dumpText(): colour marks our registration, and nothing is coloured without", () => {
  const registrations = [{
    key: 1n,
    holder: true,
    relativeTargetPort: 1,
    transportId: { protocol: "sas" as const, address: "5000000000000001" },
  }];
  const record = toRecord({ ...reading, isOwn: () => true, state: { ...reading.state, registrations } });
  assert.ok(dumpText(record, colours(true), 80).includes("\x1b[32m  0x0000000000000001  yes"));
  assert.equal(plain(record).includes("\x1b"), false);
});
