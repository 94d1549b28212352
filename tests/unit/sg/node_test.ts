import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { splitDevice } from "../../../lib/sg/host.ts";
import { describeNode } from "../../../lib/sg/node.ts";
import { FakeSysfs } from "../../support/fake_sysfs.ts";

function host(): FakeSysfs {
  return new FakeSysfs()
    .scsi({ hctl: "2:0:0:1", sg: "sg3", block: "sdb", blockMinor: 16 })
    .scsi({ hctl: "3:0:0:1", sg: "sg4", block: "sdc", blockMinor: 32, state: "offline" })
    .scsi({ hctl: "5:0:0:0", sg: "sg9", type: 5 })
    .link("/dev/disk/by-id/wwn-0x6001405", "/dev/sdb")
    .partition("sdb", "sdb1", 17)
    .volume({ name: "mpatha", uuid: "mpath-36001405", minor: 0, slaves: ["sdb", "sdc"] })
    .otherBlock("loop0", 7, 0)
    .node("/dev/null", "char", 1, 3).node("/dev", "directory").node("/tmp/image", "file").node("/run/fifo", "other")
    .node("/secret/sdb", { code: "EACCES" }).node("/dev/ring", { code: "ELOOP" });
}

const SDB = {
  sg: "/dev/sg3",
  block: "/dev/sdb",
  hctl: "2:0:0:1",
  deviceType: 0,
  state: "running",
  multipath: "mpatha",
};
const NAMED = [
  ["/dev/sg3", { node: "/dev/sg3", kind: "sg", major: 21, minor: 3, ...SDB }],
  ["/dev/sdb", { node: "/dev/sdb", kind: "block", major: 8, minor: 16, ...SDB }],
  ["/dev/disk/by-id/wwn-0x6001405", { node: "/dev/sdb", kind: "block", major: 8, minor: 16, ...SDB }],
  ["/dev/sg9", {
    ...{ node: "/dev/sg9", kind: "sg", major: 21, minor: 9, sg: "/dev/sg9", block: null, hctl: "5:0:0:0" },
    ...{ deviceType: 5, state: "running", multipath: null },
  }],
] as const;
for (const [address, expected] of NAMED) {
  Deno.test(`describeNode(${address}) maps sg, sd and H:C:T:L`, () => {
    using fake = host();
    assert.deepEqual(describeNode(address, fake), { address, ...expected });
  });
}

const REFUSED = [
  ["/dev/sdz", /Cannot open \/dev\/sdz: there is no such file \(ENOENT\)/, /dump --all/],
  ["/secret/sdb", /permission denied \(EACCES\)/, /as root/],
  ["/dev/ring", /circle \(ELOOP\)/, /dump --all/],
  ["/dev", /is a directory/, /dump --all/],
  ["/tmp/image", /ordinary file, not a SCSI device \(ENOTTY\)/, /dump --all/],
  ["/run/fifo", /neither a block nor a character device/, /dump --all/],
  ["/dev/null", /character device 1:3 is no SCSI generic node/, /dump --all/],
  ["/dev/loop0", /block device loop0 is no SCSI device \(ENOTTY\)/, /dump --all/],
  ["/dev/sdb1", /partition of \/dev\/sdb/, /name \/dev\/sdb$/],
  ["/dev/dm-0", /device-mapper volume mpatha/, /\/dev\/sdb, \/dev\/sdc/],
] as const;
for (const [address, reason, remedy] of REFUSED) {
  Deno.test(`describeNode(${address}) refuses in one line with exit code 4`, () => {
    using fake = host();
    assert.throws(() => describeNode(address, fake), (error: PrmigError) => {
      assert.ok(error instanceof PrmigError);
      assert.equal(error.exitCode, 4);
      assert.match(error.message, reason);
      assert.ok(!error.message.includes("\n"));
      assert.match(error.facts.remedy, remedy);
      assert.match(error.facts.lun, /untouched/);
      return true;
    });
  });
}

Deno.test("describeNode() leaves open what a host without sysfs does not tell", () => {
  using fake = new FakeSysfs().node("/dev/sdb", "block", 8, 16).node("/dev/sg3", "char", 21, 3);
  const unknown = { hctl: null, deviceType: null, state: null, multipath: null };
  const block = { address: "/dev/sdb", node: "/dev/sdb", kind: "block", major: 8, minor: 16, sg: null, block: null };
  const sg = { address: "/dev/sg3", node: "/dev/sg3", kind: "sg", major: 21, minor: 3, sg: "/dev/sg3", block: null };
  assert.deepEqual(describeNode("/dev/sdb", fake), { ...block, ...unknown });
  assert.deepEqual(describeNode("/dev/sg3", fake), { ...sg, ...unknown });
});

const DEVICE_NUMBERS = [[0x103n, 1, 3], [0x810n, 8, 16], [0x1503n, 21, 3], [0x10800n, 264, 0], [0x1fd00n, 509, 0], [
  0x100008ffn,
  8,
  0x100ff,
]] as const;
for (const [device, major, minor] of DEVICE_NUMBERS) {
  Deno.test(`splitDevice(0x${device.toString(16)}) is ${major}:${minor}`, () => {
    assert.deepEqual(splitDevice(device), { major, minor });
  });
}
