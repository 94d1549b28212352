/**
 * The lab's LUNs: the kernel's own target (LIO), each LUN a file behind three tcm_loop ports, which are three I_T
 * nexuses, as if three hosts had the LUN.
 *
 *   fileio lun0 --- naa.5001400000000001 (nexus A)  sda sg0
 *               |-- naa.5001400000000002 (nexus B)  sdb sg1
 *               '-- naa.5001400000000003 (nexus C)  sdc sg2
 *   fileio lun1 --- the same three ports            sdd sg3, sde sg4, sdf sg5
 *
 * The names are what one finds at the start; they are always read from sysfs, never assumed. Written in TypeScript, not
 * as a script, because every process that a script starts costs some 30 ms under emulation.
 *
 *   deno run -A tests/lab/init/luns.ts     makes both LUNs and writes $PRMIG_LAB_JSON (done once, at the start)
 *
 * @module
 */

const TARGET = "/sys/kernel/config/target";
const STATE = "/run/prmig-lab";
const SIZE_BYTES = 64 * 1024 * 1024;
const WAIT_MS = 10_000;

/** Names of the lab's nexuses: three initiator ports, each logged in to a target port of its own. */
export type NexusName = "A" | "B" | "C";

export const NEXUS_NAMES: readonly NexusName[] = ["A", "B", "C"];

/** How one nexus reaches one LUN. */
export interface LabPath {
  /** For example /dev/sda. */
  readonly sd: string;
  /** For example /dev/sg0. */
  readonly sg: string;
  /** SCSI address host:channel:target:lun. */
  readonly hctl: string;
  /** naa.5001400000000001: the target port. */
  readonly targetPort: string;
  /** naa.600140000000aaaa: the initiator port, which READ FULL STATUS shows as TransportID. */
  readonly initiatorPort: string;
  /** A link in /dev/disk/by-id. Real udev has one per LUN; here each nexus plays a host and has its own. */
  readonly byId: string;
  /** A link in /dev/disk/by-path. */
  readonly byPath: string;
}

export interface LabLun {
  /** lun0 or lun1. */
  readonly name: string;
  /** For example naa.6001405a0a0a0a000004000800000000, as in sysfs. */
  readonly designator: string;
  readonly serial: string;
  readonly sizeBytes: number;
  readonly nexuses: Readonly<Record<NexusName, LabPath>>;
}

/** What $PRMIG_LAB_JSON holds. */
export interface Lab {
  readonly luns: readonly LabLun[];
}

const PORTS: Record<NexusName, { target: string; initiator: string }> = {
  A: { target: "naa.5001400000000001", initiator: "naa.600140000000aaaa" },
  B: { target: "naa.5001400000000002", initiator: "naa.600140000000bbbb" },
  C: { target: "naa.5001400000000003", initiator: "naa.600140000000cccc" },
};

/** Unit serial numbers; their first 25 hex digits become part of the designator. */
const SERIALS = ["a0a0a0a0-0000-4000-8000-000000000000", "b1b1b1b1-0000-4000-8000-000000000001"] as const;

/** How often a nexus is read from until it has no attention left, and how long between. */
const ATTENTION_READS = 10, ATTENTION_PAUSE_MS = 100;

function serialOf(number: number): string {
  return SERIALS[number] ?? `e${number.toString(16).padStart(7, "0")}-0000-4000-8000-000000000002`;
}

/** Both LUNs from nothing, lun0 first. */
export async function startLuns(): Promise<Lab> {
  prepareTarget();
  for (const number of SERIALS.keys()) await create(number);
  return publish();
}

/**
 * LUNs as on their first day: no registration, no reservation, no unit attention on any nexus, PRGENERATION 0, all zeros. Their
 * device names may change: read them again. Afterwards every LUN is read, so none of the others may be reserved against that.
 */
export async function recreateLuns(numbers: readonly number[]): Promise<Lab> {
  for (const number of numbers) take(number);
  for (const number of numbers) await create(number);
  return publish();
}

function take(number: number): void {
  for (const nexus of NEXUS_NAMES) Deno.removeSync(linkOf(nexus, number));
  Deno.removeSync(backstore(number));
  const aptpl = `/var/target/pr/aptpl_${serialOf(number)}`;
  for (const path of [image(number), aptpl]) if (present(path)) Deno.removeSync(path);
}

/** LUNs beside the lab's own two, for tests of many; `remove` takes them away again. */
export async function extraLuns(count: number): Promise<{ luns: LabLun[]; remove(): Promise<void> }> {
  const numbers = Array.from({ length: count }, (_, i) => SERIALS.length + i);
  for (const number of numbers) await create(number);
  publish();
  const luns = numbers.map((number) => describe(serialOf(number), number));
  for (const { nexuses } of luns) for (const { sd } of Object.values(nexuses)) takeAttentions(sd);
  const remove = (): Promise<void> => {
    for (const number of numbers) take(number);
    publish();
    return Promise.resolve();
  };
  return { luns, remove };
}

/** Where everything is now. */
export function describeLuns(): Lab {
  return { luns: SERIALS.map((serial, number) => describe(serial, number)) };
}

/** The file and what the target makes of it, without a way to it yet: its path in configfs. */
export function createStore(number: number): string {
  using file = Deno.createSync(image(number));
  file.truncateSync(SIZE_BYTES);
  const store = backstore(number);
  Deno.mkdirSync(store, { recursive: true });
  write(`${store}/control`, `fd_dev_name=${image(number)},fd_dev_size=${SIZE_BYTES}`);
  write(`${store}/wwn/vpd_unit_serial`, serialOf(number));
  write(`${store}/enable`, "1");
  return store;
}

/** Has a LUN execute UNMAP, until it is made anew. */
export function allowUnmap(number: number): void {
  write(`${backstore(number)}/attrib/emulate_tpu`, "1");
}

/** LIO rewrites a file there at every REGISTER; without the directory REGISTER ends NOT READY. */
export function prepareTarget(): void {
  for (const path of ["/var/target/pr", "/var/target/alua", STATE]) Deno.mkdirSync(path, { recursive: true });
}

async function create(number: number): Promise<void> {
  const store = createStore(number);
  for (const nexus of NEXUS_NAMES) {
    if (!present(tpg(nexus))) {
      Deno.mkdirSync(tpg(nexus), { recursive: true });
      write(`${tpg(nexus)}/nexus`, PORTS[nexus].initiator);
    }
    Deno.mkdirSync(linkOf(nexus, number).replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.symlinkSync(store, linkOf(nexus, number));
    await untilPresent(nexus, number); // the kernel looks at disks in its own time; waiting keeps names in order
  }
}

async function untilPresent(nexus: NexusName, number: number): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  // sysfs has a disk a little earlier than /dev has its node.
  const isThere = (name: string | undefined): boolean => name !== undefined && present(`/dev/${name}`);
  while (!isThere(node(nexus, number, "block")) || !isThere(node(nexus, number, "scsi_generic"))) {
    if (Date.now() > deadline) throw new Error(`nexus ${nexus} has no disk for lun${number} after ${WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function publish(): Lab {
  const lab = describeLuns();
  for (const path of ["/dev/disk/by-id", "/dev/disk/by-path"]) Deno.mkdirSync(path, { recursive: true });
  for (const { nexuses } of lab.luns) {
    for (const { sd, byId, byPath } of Object.values(nexuses)) {
      for (const link of [byId, byPath]) {
        if (present(link)) Deno.removeSync(link);
        Deno.symlinkSync(`../../${sd.slice("/dev/".length)}`, link);
      }
      takeAttentions(sd);
    }
  }
  const path = Deno.env.get("PRMIG_LAB_JSON") ?? `${STATE}/lab.json`;
  Deno.writeTextFileSync(`${path}.new`, `${JSON.stringify(lab, null, 2)}\n`);
  Deno.renameSync(`${path}.new`, path);
  return lab;
}

/**
 * A LUN that comes or goes leaves "reported LUNs data has changed" with each nexus, on all its LUNs. A read takes it
 * from there (the kernel repeats the read); of a place that the kernel's search for partitions has not cached.
 */
function takeAttentions(sd: string): void {
  for (let left = ATTENTION_READS;; left--) {
    try {
      using disk = Deno.openSync(sd); // ENXIO: the node is there, and the disk not quite
      disk.seekSync(SIZE_BYTES / 2, Deno.SeekMode.Start);
      disk.readSync(new Uint8Array(4096));
      return;
    } catch (error) {
      if (left === 1) throw error; // the kernel gives a read up with EIO when there are more attentions than it repeats it
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ATTENTION_PAUSE_MS);
    }
  }
}

function describe(serial: string, number: number): LabLun {
  const designator = Deno.readTextFileSync(`${device("A", number)}/wwid`).trim();
  const path = (nexus: NexusName): LabPath => ({
    sd: `/dev/${node(nexus, number, "block")}`,
    sg: `/dev/${node(nexus, number, "scsi_generic")}`,
    hctl: hctl(nexus, number),
    targetPort: PORTS[nexus].target,
    initiatorPort: PORTS[nexus].initiator,
    byId: `/dev/disk/by-id/wwn-0x${designator.replace("naa.", "")}${nexus === "A" ? "" : `-nexus-${nexus}`}`,
    byPath: `/dev/disk/by-path/lab-nexus-${nexus}-lun-${number}`,
  });
  const nexuses = { A: path("A"), B: path("B"), C: path("C") };
  return { name: `lun${number}`, designator, serial, sizeBytes: SIZE_BYTES, nexuses };
}

const image = (number: number): string => `${STATE}/lun${number}.img`;
const backstore = (number: number): string => `${TARGET}/core/fileio_0/lun${number}`;
const tpg = (nexus: NexusName): string => `${TARGET}/loopback/${PORTS[nexus].target}/tpgt_1`;
const linkOf = (nexus: NexusName, number: number): string => `${tpg(nexus)}/lun/lun_${number}/lun${number}`;
const hctl = (nexus: NexusName, number: number): string =>
  `${Deno.readTextFileSync(`${tpg(nexus)}/address`).trim()}:${number}`;
const device = (nexus: NexusName, number: number): string => `/sys/class/scsi_device/${hctl(nexus, number)}/device`;

/** The name in /dev, or undefined as long as there is none. */
function node(nexus: NexusName, number: number, kind: "block" | "scsi_generic"): string | undefined {
  const directory = `${device(nexus, number)}/${kind}`;
  return present(directory) ? [...Deno.readDirSync(directory)][0]?.name : undefined;
}

function write(path: string, text: string): void {
  Deno.writeTextFileSync(path, `${text}\n`, { create: false });
}

/** True when there is something, if only a link that leads nowhere. */
export function present(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) await startLuns();
