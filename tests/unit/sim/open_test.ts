/** A simulated LUN in a file: making, opening, using, and what is said when something is wrong with the file. */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import { createSimLun, openSimNexus, powerCycleSimLun, readSimLun } from "../../../lib/sim/open.ts";
import { LIO } from "../../../lib/pr/sim/profile.ts";

const TEST_UNIT_READY = new Uint8Array(6);

function inDirectory(name: string, body: (directory: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir();
    try {
      await body(directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

async function failure(work: Promise<unknown>): Promise<PrmigError> {
  let caught: unknown;
  await work.catch((error) => caught = error);
  assert.ok(caught instanceof PrmigError, String(caught));
  return caught;
}

inDirectory("a LUN outlives its nexus; two names are two nexuses, also by a link and a relative path", async (dir) => {
  await createSimLun(`${dir}/lun.json`);
  await Deno.symlink("lun.json", `${dir}/link.json`);
  const a = await openSimNexus(`sim:${dir}/lun.json?nexus=A`);
  assert.equal((await prOut(a, { action: "register", rk: 0n, sark: 1n, aptpl: false })).status, 0);
  a.close();
  await assert.rejects(a.execute(TEST_UNIT_READY, 0), /it was closed/);
  const b = await openSimNexus(`sim:${dir}/../${dir.split("/").at(-1)}/link.json?nexus=B`);
  assert.equal((await prOut(b, { action: "register", rk: 0n, sark: 2n, aptpl: false })).status, 0);
  b.close();
  assert.deepEqual((await readSimLun(`${dir}/lun.json`)).registrations.map(({ nexus, key }) => [nexus, key]), [
    ["a", 1n],
    ["b", 2n],
  ]);
  assert.ok((await Deno.lstat(`${dir}/link.json`)).isSymlink, "the link was replaced by a file");
});

inDirectory("the initiator is known exactly, its port is not", async (dir) => {
  await createSimLun(`${dir}/lun.json`);
  const nexus = await openSimNexus(`sim:${dir}/lun.json?nexus=Host&port=2`);
  const transportId = { protocol: "iscsi", address: "iqn.2026-01.net.example.prmig:host" };
  assert.deepEqual(nexus.initiator, { transportId, match: "exact" });
  assert.equal(nexus.address, `sim:${dir}/lun.json?nexus=Host&port=2`);
});

inDirectory("the file is nobody else's business, and a command without effect does not touch it", async (dir) => {
  const file = `${dir}/lun.json`;
  const nexus = await openSimNexus(`sim:${file}?nexus=A&create`);
  const { mode, ino } = await Deno.stat(file);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  assert.equal((((await Deno.stat(`${file}.lock`)).mode) ?? 0) & 0o777, 0o600);
  await nexus.execute(TEST_UNIT_READY, 0);
  assert.equal((await Deno.stat(file)).ino, ino);
  await prOut(nexus, { action: "register", rk: 0n, sark: 1n, aptpl: false });
  assert.deepEqual(names(dir), ["lun.json", "lun.json.lock"]);
});

inDirectory("a missing file is a missing device, and leaves nothing behind", async (dir) => {
  const error = await failure(openSimNexus(`sim:${dir}/none.json?nexus=A`));
  assert.equal(error.exitCode, 4);
  assert.match(error.message, /there is no simulated LUN in .*none\.json/);
  assert.match(error.facts.remedy, /&create/);
  assert.deepEqual(names(dir), []);
  assert.equal((await failure(openSimNexus(`sim:${dir}/no/such/dir?nexus=A`))).exitCode, 4);
});

inDirectory("create makes a LUN once; the profile asked for is the one there is", async (dir) => {
  const address = `sim:${dir}/lun.json?nexus=A`;
  (await openSimNexus(`${address}&create&profile=lio`)).close();
  const { serial } = (await readSimLun(`${dir}/lun.json`)).device.identity;
  (await openSimNexus(`${address}&create`)).close();
  (await openSimNexus(`${address}&profile=lio`)).close();
  assert.equal((await readSimLun(`${dir}/lun.json`)).device.identity.serial, serial);
  const error = await failure(openSimNexus(`${address}&profile=tgt`));
  assert.deepEqual([error.exitCode, /behaves like lio, and not like tgt/.test(error.message)], [4, true]);
  assert.match((await failure(openSimNexus(`${address}&port=3`))).message, /target ports 1, 2, and not 3/);
  assert.equal((await failure(createSimLun(`${dir}/lun.json`))).exitCode, 3);
});

inDirectory("createSimLun() takes identity, ports, profile and size", async (dir) => {
  const identity = { vendor: "ACME", product: "DISK", revision: "9", serial: "abc", naa: "6001405000000000" };
  await createSimLun(`${dir}/lun.json`, { identity, ports: [1], profile: LIO, blocks: 8, maxRegistrations: 2 });
  const { device } = await readSimLun(`${dir}/lun.json`);
  assert.deepEqual(device, { identity, ports: [1], profile: LIO, blocks: 8, maxRegistrations: 2 });
});

inDirectory("opened for reading only, it refuses PERSISTENT RESERVE OUT", async (dir) => {
  await createSimLun(`${dir}/lun.json`);
  const nexus = await openSimNexus(`sim:${dir}/lun.json?nexus=A`, { writable: false });
  await assert.rejects(prOut(nexus, { action: "register", rk: 0n, sark: 1n, aptpl: false }), /open for reading only/);
  assert.equal((await nexus.execute(TEST_UNIT_READY, 0)).status, 0);
});

inDirectory("power comes and goes", async (dir) => {
  const file = `${dir}/lun.json`;
  const nexus = await openSimNexus(`sim:${file}?nexus=A&create`);
  await prOut(nexus, { action: "register", rk: 0n, sark: 1n, aptpl: true });
  await powerCycleSimLun(file);
  const { generation, registrations } = await readSimLun(file);
  assert.deepEqual([generation, registrations.length], [0, 1]);
  assert.equal((await nexus.execute(TEST_UNIT_READY, 0)).sense[12], 0x29);
});

inDirectory("delayMs keeps every command waiting", async (dir) => {
  const nexus = await openSimNexus(`sim:${dir}/lun.json?nexus=A&create&delayMs=30`);
  const start = performance.now();
  await nexus.execute(TEST_UNIT_READY, 0);
  assert.ok(performance.now() - start >= 29);
});

const FOREIGN: readonly (readonly [what: string, text: string])[] = [
  ["an empty file", ""],
  ["text", "root:x:0:0:root:/root:/bin/bash\n"],
  ["JSON of somebody else", '{"name":"prmig"}'],
  ["half of somebody's JSON", '{"name":'],
];
for (const [what, text] of FOREIGN) {
  inDirectory(`${what} is refused, and left alone`, async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, text);
    const error = await failure(openSimNexus(`sim:${dir}/file?nexus=A`));
    assert.equal(error.exitCode, 4);
    assert.match(error.message, /is no sound simulated LUN/);
    assert.equal(error.facts.lun, "The file was left as it is.");
    assert.equal(await Deno.readTextFile(`${dir}/file`), text);
  });
}

inDirectory("a directory is no simulated LUN", async (dir) => {
  assert.equal((await failure(openSimNexus(`sim:${dir}?nexus=A`))).exitCode, 4);
});

inDirectory("a spoiled LUN is set aside, never over another one, and said where", async (dir) => {
  const file = `${dir}/lun.json`;
  for (const number of [1, 2]) {
    await createSimLun(file);
    await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replace('"generation": 0', '"generation": -1'));
    const error = await failure(readSimLun(file));
    assert.equal(error.exitCode, 4);
    assert.match(error.message, /generation: /);
    assert.equal(error.facts.lun, `The spoiled file is kept as ${file}.corrupt-${number}.`);
  }
  assert.deepEqual(names(dir), ["lun.json.corrupt-1", "lun.json.corrupt-2", "lun.json.lock"]);
});

inDirectory("a file that grew beyond all measure is not read", async (dir) => {
  await Deno.writeTextFile(`${dir}/big`, "");
  await Deno.truncate(`${dir}/big`, 1 << 30);
  assert.match((await failure(readSimLun(`${dir}/big`))).message, /1073741824 bytes, where \d+ is the most/);
});
