import assert from "node:assert/strict";
import { concat, fromHex } from "../../../lib/bytes.ts";
import { LunPaths } from "../../../lib/snoop/lun_path.ts";
import type { FdFacts } from "../../../lib/sys/fd_facts.ts";
import { FakeSysfs } from "../../support/fake_sysfs.ts";

const NAA = "6001405000000001000000000000abcd";

function host(): FakeSysfs {
  const fake = new FakeSysfs().scsi({ hctl: "2:0:0:1", sg: "sg3", block: "sdb", blockMinor: 16 });
  // page 83h: NAA of the logical unit, relative target port 7
  const page = concat(fromHex("0083001c 01030010"), fromHex(NAA), fromHex("01140004 00000007"));
  Deno.writeFileSync(`${fake.sys}/devices/platform/host2/target/2:0:0:1/vpd_pg83`, page);
  return fake;
}

function block(devno: string): FdFacts {
  return { kind: "block", devno, file: "" };
}

Deno.test("both nodes of a path are one nexus of one LUN, named by its designator, without a command", () => {
  using fake = host();
  const paths = new LunPaths(fake);
  const byBlock = paths.of(block("8:16"))!;
  const byGeneric = paths.of({ kind: "character", devno: "21:3" })!;
  assert.deepEqual([byBlock.lunId, byBlock.nexusId, byBlock.device], [`naa.${NAA}`, "2:0:0:1", "/dev/sdb"]);
  assert.deepEqual([byGeneric.lunId, byGeneric.nexusId, byGeneric.device], [`naa.${NAA}`, "2:0:0:1", "/dev/sg3"]);
  assert.equal(byBlock.own.relativeTargetPort, 7);
});

Deno.test("what is no device is no LUN; what sysfs does not know is known by its number", () => {
  using fake = host();
  const paths = new LunPaths(fake);
  assert.equal(paths.of({ kind: "other", devno: null }), null);
  assert.equal(paths.of({ kind: "socket", devno: null }), null);
  assert.equal(paths.of({ kind: "character", devno: "1:3" }), null, "/dev/null");
  fake.file("devices/virtual/block/loop0/dev", "7:0").symlink("dev/block/7:0", "devices/virtual/block/loop0");
  assert.equal(paths.of(block("7:0")), null, "a loop device");
  const unknown = paths.of(block("8:99"))!;
  assert.deepEqual([unknown.lunId, unknown.nexusId, unknown.designator], ["dev-8:99", "8:99", null]);
});

Deno.test("a spoilt or missing page 83h leaves the LUN without a name, not the helper without a LUN", () => {
  using fake = host();
  const page = `${fake.sys}/devices/platform/host2/target/2:0:0:1/vpd_pg83`;
  for (
    const bytes of [
      Uint8Array.of(),
      Uint8Array.of(0, 0x80, 0, 4, 1, 2, 3, 4),
      Uint8Array.of(0, 0x83, 0xff, 0xff, 1, 3, 0, 16),
    ]
  ) {
    Deno.writeFileSync(page, bytes);
    assert.equal(new LunPaths(fake).of(block("8:16"))!.lunId, "hctl-2:0:0:1");
  }
  Deno.removeSync(page);
  assert.equal(new LunPaths(fake).of(block("8:16"))!.designator, null);
});

Deno.test("a multipath map is named by its uuid, and says that it is one", () => {
  using fake = host();
  fake.volume({ name: "mpatha", uuid: `mpath-3${NAA}`, minor: 0, slaves: ["sdb"] });
  fake.volume({ name: "vg-lv", uuid: "LVM-xyz", minor: 1, slaves: ["sdb"] });
  const paths = new LunPaths(fake);
  const map = paths.of(block("253:0"))!;
  assert.deepEqual([map.lunId, map.nexusId, map.device, map.multipath], [
    `naa.${NAA}`,
    "253:0",
    "/dev/mapper/mpatha",
    "mpatha",
  ]);
  assert.equal(paths.of(block("253:1"))!.multipath, null);
});
