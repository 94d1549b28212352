/**
 * How long a dump takes without a device: the codecs, the simulated LUN, the renderers.
 *
 * @module
 */
import { colours } from "../../lib/cli/colour.ts";
import { readDump } from "../../lib/cli/dump/read.ts";
import { dumpText } from "../../lib/cli/dump/text.ts";
import type { OpenDevice } from "../../lib/cli/open.ts";
import { prIn, prOut } from "../../lib/pr/commands.ts";
import { decodeFullStatus } from "../../lib/pr/full_status.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";

const lun = new MemoryLun({ record: false });
for (let i = 0; i < 64; i++) {
  await prOut(lun.nexus(`n${i}`), { action: "register", rk: 0n, sark: BigInt(i + 1), aptpl: false });
}
await prOut(lun.nexus("n0"), { action: "reserve", rk: 1n, type: 5 });
const nexus = lun.nexus("n0");
const device: OpenDevice = {
  address: "/dev/sdb",
  paths: [nexus],
  node: null,
  multipath: null,
  unusable: [],
  close: () => {},
};
const { dataIn } = await prIn(nexus, "readFullStatus", 65535);
const record = await readDump(device);

Deno.bench("decode READ FULL STATUS, 64 registrations", () => void decodeFullStatus(dataIn));
Deno.bench("read a simulated LUN with 64 registrations", async () => void await readDump(device));
Deno.bench("render it as text", () => void dumpText(record, colours(false), 80));
Deno.bench("render it as JSON", () => void JSON.stringify(record));
