/**
 * From a client's descriptor to the LUN and the nexus behind it, by device number and sysfs alone.
 *
 * No command is sent and no path is opened: the helper has no business with devices it was not handed. Two nodes of one
 * path (`/dev/sdb`, `/dev/sg3`) are one nexus, known by H:C:T:L; two paths to one LUN are two nexuses of it. A device
 * number may come to mean another disk while nobody has it open, so what was found is believed for a moment only.
 *
 * @module
 */
import { ShortBuffer } from "../bytes.ts";
import { type OwnPort, UNKNOWN_PORT } from "../pr/tracker_observe.ts";
import { lunDesignators, relativeTargetPort } from "../scsi/identity.ts";
import { decodeVpd83, type Designator, WrongPage } from "../scsi/vpd.ts";
import { codeOf, type Host, readAttribute, realPath, THIS_HOST } from "../sg/host.ts";
import { ownInitiator } from "../sg/initiator.ts";
import { describeHctl } from "../sg/node.ts";
import type { FdFacts } from "../sys/fd_facts.ts";

/** One way to one LUN. */
export interface LunPath {
  /** Name of the LUN that other paths and other hosts give it as well: `naa.6001405...`; `null` when it has none. */
  readonly designator: string | null;
  /** What tells this LUN from others on this host: the designator, or else the device number. */
  readonly lunId: string;
  /** What tells this nexus from others on this host: H:C:T:L, or else the device number. */
  readonly nexusId: string;
  readonly hctl: string | null;
  /** `major:minor` of the node the descriptor came from. */
  readonly devno: string;
  /** As a person would type it: `/dev/sdb`, `/dev/mapper/mpatha`. */
  readonly device: string;
  readonly block: string | null;
  readonly sg: string | null;
  /** Name of the multipath map, when the descriptor is one: a PR OUT goes down one of its paths. */
  readonly multipath: string | null;
  readonly own: OwnPort;
}

const HCTL = /^\d+:\d+:\d+:\d+$/;
/** What begins the SCSI ID of a disk that is named by an NAA designator. */
const NAA_ID = /^mpath-3([0-9a-f]{16}|[0-9a-f]{32})$/i;

/** Milliseconds for which a device number is believed to be the disk it was: less than any disk takes to come and go. */
const BELIEVED_MS = 500;

interface Known {
  readonly stamp: string;
  readonly path: LunPath | null;
  /** When sysfs was looked at last. */
  at: number;
}

/** Looks nodes up, and remembers what it found as long as sysfs says it is the same disk. */
export class LunPaths {
  readonly #known = new Map<string, Known>();

  /** `nowMs`: the time, on any clock that never goes back. */
  constructor(readonly host: Host = THIS_HOST, private readonly nowMs: () => number = () => performance.now()) {}

  /** The path behind a descriptor; `null` when it is none: no device, or one that sysfs knows not to be SCSI. */
  of({ kind, devno }: Pick<FdFacts, "kind" | "devno">): LunPath | null {
    if (devno === null || (kind !== "block" && kind !== "character")) return null;
    const name = kind === "block" ? devno : `char ${devno}`;
    const known = this.#known.get(name);
    const now = this.nowMs();
    if (known && now - known.at < BELIEVED_MS) return known.path;
    const link = `${this.host.sys}/dev/${kind === "block" ? "block" : "char"}/${devno}`;
    const directory = realPath(link);
    const stamp = `${directory} ${readAttribute(`${link}/diskseq`)}`;
    if (known?.stamp === stamp) {
      known.at = now;
      return known.path;
    }
    const path = look(devno, kind, directory, this.host);
    this.#known.set(name, { stamp, path, at: now });
    return path;
  }
}

function look(devno: string, kind: "block" | "character", directory: string | null, host: Host): LunPath | null {
  const plain = {
    designator: null,
    lunId: `dev-${devno}`,
    nexusId: devno,
    hctl: null,
    devno,
    sg: null,
    multipath: null,
  };
  const nameless = { ...plain, device: `device ${devno}`, block: null, own: UNKNOWN_PORT };
  // A block node sysfs does not show may be a LUN all the same (a container sees what it is given).
  if (directory === null) return kind === "block" ? nameless : null;
  const map = readAttribute(`${directory}/dm/name`);
  if (map !== null) return mapped(nameless, map, readAttribute(`${directory}/dm/uuid`) ?? "");
  const base = directory.slice(directory.lastIndexOf("/") + 1);
  const scsi = realPath(`${directory}/device`);
  const hctl = scsi?.slice(scsi.lastIndexOf("/") + 1) ?? "";
  if (scsi === null || !HCTL.test(hctl)) return null;
  const node = describeHctl(hctl, host);
  const designators = pageOf(`${scsi}/vpd_pg83`);
  const designator = lunDesignators(designators)[0] ?? null;
  return {
    designator,
    lunId: designator ?? `hctl-${hctl}`,
    nexusId: hctl,
    hctl,
    devno,
    device: (kind === "block" ? node?.block : node?.sg) ?? `/dev/${base}`,
    block: node?.block ?? null,
    sg: node?.sg ?? null,
    multipath: null,
    own: { initiator: ownInitiator(hctl, host), relativeTargetPort: relativeTargetPort(designators) },
  };
}

/** A map's paths have an initiator port each; which of them a command takes is the kernel's choice. */
function mapped(nameless: LunPath, name: string, uuid: string): LunPath {
  const device = `/dev/mapper/${name}`;
  const digits = NAA_ID.exec(uuid)?.[1];
  const designator = digits === undefined ? null : `naa.${digits.toLowerCase()}`;
  const multipath = uuid.startsWith("mpath-") ? name : null;
  return { ...nameless, designator, lunId: designator ?? nameless.lunId, device, block: device, multipath };
}

/** VPD page 83h as the kernel read it when it found the device; nothing when it did not, or the page is spoilt. */
function pageOf(path: string): Designator[] {
  try {
    return decodeVpd83(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof ShortBuffer || error instanceof WrongPage) return [];
    codeOf(error);
    return [];
  }
}
