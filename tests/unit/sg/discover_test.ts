import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { listDisks, resolveAddress } from "../../../lib/sg/discover.ts";
import { FakeSysfs } from "../../support/fake_sysfs.ts";

function host(): FakeSysfs {
  return new FakeSysfs()
    .scsi({ hctl: "10:0:0:1", sg: "sg1", block: "sdb", blockMinor: 16 })
    .scsi({ hctl: "2:0:0:1", sg: "sg2", block: "sdc", blockMinor: 32 })
    .scsi({ hctl: "2:0:0:0", sg: "sg3", type: 5 }) // a CD drive
    .scsi({ hctl: "2:0:0:3", sg: "sg4", type: 0x14 }) // a zoned disk without a block driver
    .scsi({ hctl: "2:0:0:4" }) // no node at all
    .partition("sdb", "sdb1", 17)
    .otherBlock("nvme0n1", 259, 0)
    .volume({ name: "mpatha", uuid: "mpath-36001405", minor: 0, slaves: ["sdb", "sdc"] })
    .volume({ name: "mpatha-part1", uuid: "part1-mpath-36001405", minor: 1, slaves: ["dm-0"] })
    .volume({ name: "vg-root", uuid: "LVM-abc", minor: 2, slaves: ["sdb1"] })
    .volume({ name: "vg-two", uuid: "LVM-def", minor: 3, slaves: ["sdb", "sdc"] })
    .volume({ name: "secret", uuid: "CRYPT-LUKS2-x", minor: 4, slaves: ["sdb"] })
    .volume({ name: "mpathdead", uuid: "mpath-dead", minor: 5, slaves: [] })
    .volume({ name: "mpathnvme", uuid: "mpath-nvme", minor: 6, slaves: ["nvme0n1"] })
    .volume({ name: "bare", uuid: "", minor: 7, slaves: ["sdb"] });
}

Deno.test("listDisks() lists paths to disks in the order of H:C:T:L as numbers", () => {
  using fake = host();
  const disks = listDisks(fake).map(({ address, sg, hctl, multipath }) => [address, sg, hctl, multipath]);
  assert.deepEqual(disks, [
    ["/dev/sdc", "/dev/sg2", "2:0:0:1", "mpatha"],
    ["/dev/sg4", "/dev/sg4", "2:0:0:3", null],
    ["/dev/sdb", "/dev/sg1", "10:0:0:1", "mpatha"],
  ]);
});

Deno.test("listDisks() of a host without SCSI is empty", () => {
  using fake = new FakeSysfs();
  assert.deepEqual(listDisks(fake), []);
});

for (const address of ["/dev/mapper/mpatha", "/dev/dm-0"]) {
  Deno.test(`resolveAddress(${address}) gives the paths of the map`, () => {
    using fake = host();
    const { paths, multipath } = resolveAddress(address, fake);
    assert.deepEqual([paths.map((path) => path.node), multipath], [["/dev/sdc", "/dev/sdb"], "mpatha"]);
  });
}

Deno.test("resolveAddress() of a single path is that path alone, though a map holds it", () => {
  using fake = host();
  const { address, paths, multipath } = resolveAddress("/dev/sg1", fake);
  assert.deepEqual([address, paths.length, paths[0]?.node, multipath], ["/dev/sg1", 1, "/dev/sg1", null]);
  assert.equal(paths[0]?.multipath, "mpatha");
});

const REFUSED = [
  ["/dev/mapper/mpatha-part1", /a partition of a multipath map/, /\/dev\/mapper\/mpatha$/],
  ["/dev/mapper/vg-root", /an LVM logical volume \(vg-root\)/, /\/dev\/sdb$/],
  ["/dev/mapper/vg-two", /an LVM logical volume/, /lsblk -s/],
  ["/dev/mapper/secret", /an encrypted volume/, /\/dev\/sdb$/],
  ["/dev/mapper/bare", /a device-mapper volume/, /\/dev\/sdb$/],
  ["/dev/mapper/mpathdead", /no paths at present/, /multipath -ll mpathdead/],
  ["/dev/mapper/mpathnvme", /path nvme0n1 .* is no SCSI device/, /SCSI paths/],
  ["/dev/mapper/gone", /no such file/, /dump --all/],
] as const;
for (const [address, reason, remedy] of REFUSED) {
  Deno.test(`resolveAddress(${address}) refuses and names what to take instead`, () => {
    using fake = host();
    assert.throws(() => resolveAddress(address, fake), (error: PrmigError) => {
      assert.equal(error.exitCode, 4);
      assert.match(error.message, reason);
      assert.match(error.facts.remedy, remedy);
      return true;
    });
  });
}
