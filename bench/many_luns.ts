/**
 * Many small LUNs for a figure in the lab: in the target's memory, behind nexus A alone, gone afterwards.
 *
 * @module
 */
import { present } from "../tests/lab/init/luns.ts";

const TARGET = "/sys/kernel/config/target";
const PORT = `${TARGET}/loopback/naa.5001400000000001/tpgt_1`;
/** The lab's own LUNs are 0 and 1. */
const FIRST = 2;
const PATIENCE_MS = 60_000;

/** Runs `body` with `/dev/sgN` of so many LUNs. */
export async function withManyLuns<T>(count: number, body: (nodes: readonly string[]) => Promise<T>): Promise<T> {
  const made: number[] = [];
  try {
    for (let number = FIRST; number < FIRST + count; number++) {
      made.push(number);
      Deno.mkdirSync(store(number), { recursive: true });
      write(`${store(number)}/control`, "rd_pages=16");
      write(
        `${store(number)}/wwn/vpd_unit_serial`,
        `be${number.toString(16).padStart(6, "0")}-0000-4000-8000-000000000003`,
      );
      write(`${store(number)}/enable`, "1");
      Deno.mkdirSync(`${PORT}/lun/lun_${number}`, { recursive: true });
      Deno.symlinkSync(store(number), link(number));
    }
    const nodes: string[] = [];
    for (const number of made) nodes.push(await node(number));
    return await body(nodes);
  } finally {
    for (const number of made) {
      if (present(link(number))) Deno.removeSync(link(number));
      if (present(`${PORT}/lun/lun_${number}`)) Deno.removeSync(`${PORT}/lun/lun_${number}`);
      if (present(store(number))) Deno.removeSync(store(number));
    }
  }
}

const store = (number: number): string => `${TARGET}/core/rd_mcp_9/bench${number}`;
const link = (number: number): string => `${PORT}/lun/lun_${number}/bench${number}`;

/** The kernel looks at new disks in its own time. */
async function node(number: number): Promise<string> {
  const hctl = `${Deno.readTextFileSync(`${PORT}/address`).trim()}:${number}`;
  const directory = `/sys/class/scsi_device/${hctl}/device/scsi_generic`;
  for (const until = performance.now() + PATIENCE_MS;;) {
    const name = present(directory) ? [...Deno.readDirSync(directory)][0]?.name : undefined;
    if (name !== undefined && present(`/dev/${name}`)) return `/dev/${name}`;
    if (performance.now() > until) throw new Error(`there is no disk ${hctl}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function write(path: string, text: string): void {
  Deno.writeTextFileSync(path, `${text}\n`, { create: false });
}
