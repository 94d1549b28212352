import assert from "node:assert/strict";
import { readDump } from "../../../lib/cli/dump/read.ts";
import type { DumpRecord } from "../../../lib/cli/dump/record.ts";
import { snoopedFiles, withSnooped } from "../../../lib/cli/dump/snooped.ts";
import { changeLun, lunFile, type SnoopedLun } from "../../../lib/snoop/state.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

async function dumped(): Promise<DumpRecord> {
  const node = { block: "/dev/sdb", sg: "/dev/sg3", hctl: "2:0:0:1" };
  const paths = [new MemoryLun().nexus("n0")];
  return await readDump({ address: "/dev/sdb", paths, node, multipath: null, unusable: [], close: () => {} });
}

function snoopedAs(lunId: string, device: string): SnoopedLun {
  const nexus = { nexusId: "2:0:0:1", devno: "8:16", device, block: device, sg: null, since: "2026-01-01T00:00:00Z" };
  return {
    ...{ lunId, designator: null },
    nexuses: [{ ...nexus, key: 0x123abcn, type: 5, aptpl: false, open: null, clients: [] }],
  };
}

for (const by of ["designator", "H:C:T:L"] as const) {
  Deno.test(`withSnooped() finds what was snooped by ${by}, as long as the directory has a file of that name`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const record = await dumped();
      assert.deepEqual([...snoopedFiles(directory)], [], "nothing was ever snooped here");
      assert.equal(withSnooped(record, directory).snooped, null);
      const lunId = by === "designator" ? record.lun.designators.at(-1)! : `hctl-${record.hctl}`;
      const file = lunFile(directory, lunId);
      await Deno.mkdir(`${directory}/luns`);
      await changeLun(file, () => snoopedAs(lunId, "/dev/sdb"), () => {});
      assert.ok(snoopedFiles(directory).has(file));
      assert.equal(withSnooped(record, directory).snooped?.key, "0x0000000000123abc");
      assert.equal(withSnooped(record, directory, new Set()).snooped, null, "the names that were read before decide");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
