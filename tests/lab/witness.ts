/**
 * sg_persist as the lab's witness: it shares no code with prmig, so what it says of a LUN can be held against prmig.
 *
 * @module
 */
import { type Finished, run } from "./run.ts";

/** One line of READ FULL STATUS. */
export interface Registrant {
  readonly key: bigint;
  readonly holder: boolean;
  /** naa. + 16 hex digits: the initiator port, as in `LabPath.initiatorPort`; over iSCSI the initiator's name. */
  readonly initiatorPort: string;
  readonly relativeTargetPort: number;
}

/** A LUN's whole reservation state. */
export interface LunState {
  readonly generation: number;
  /** In the order of the initiator ports' names. */
  readonly registrants: readonly Registrant[];
  /** From READ RESERVATION; the key is 0 for the all-registrants types. */
  readonly reservation: { readonly key: bigint; readonly type: number } | null;
}

const TYPES: Record<string, number> = {
  "Write Exclusive": 1,
  "Exclusive Access": 3,
  "Write Exclusive, registrants only": 5,
  "Exclusive Access, registrants only": 6,
  "Write Exclusive, all registrants": 7,
  "Exclusive Access, all registrants": 8,
};

/** Exit code of sg3_utils. */
export const SG_UNIT_ATTENTION = 6;
/** A nexus has one attention for the LUN's new life, another for other LUNs that came or went, one for what others did. */
export const ATTENTIONS = 4;

/** Runs sg_persist with `args`, quietly (--no-inquiry): only the reservation command goes to the device. */
export function sgPersist(args: readonly string[]): Promise<Finished> {
  return run(["sg_persist", "--no-inquiry", ...args]);
}

/** Who is registered and who holds, through the path's nexus; a pending unit attention is taken first. */
export async function readState(path: { readonly sg: string }): Promise<LunState> {
  const { generation, registrants } = await fullStatus(path);
  const reservation = parseReservation(await ask(["--in", "--read-reservation", path.sg]));
  return { generation, registrants, reservation };
}

/** READ FULL STATUS alone. */
export async function fullStatus(path: { readonly sg: string }): Promise<Omit<LunState, "reservation">> {
  return parseFullStatus(await ask(["--in", "--read-full-status", path.sg]));
}

/** sg_persist did not do what it was asked for. */
export class SgPersistFailed extends Error {
  override name = "SgPersistFailed";
  constructor(args: readonly string[], { code, stderr }: Finished) {
    super(`sg_persist ${args.join(" ")}: exit ${code}: ${stderr}`);
    this.code = code;
  }
  readonly code: number;
}

/** sg_persist, again after unit attentions; what it prints. @throws SgPersistFailed */
export async function ask(args: readonly string[]): Promise<string> {
  let result = await sgPersist(args);
  for (let left = ATTENTIONS; result.code === SG_UNIT_ATTENTION && left > 0; left--) result = await sgPersist(args);
  if (result.code !== 0) throw new SgPersistFailed(args, result);
  return result.stdout;
}

/** What `sg_persist --in --read-full-status` prints (sg3-utils 1.46). */
export function parseFullStatus(text: string): Omit<LunState, "reservation"> {
  const generation = Number(/PR generation=(0x[0-9a-f]+)/.exec(text)?.[1] ?? "NaN");
  if (Number.isNaN(generation)) throw new Error(`sg_persist printed no generation: ${text}`);
  const registrants = text.split(/^ {4}Key=/m).slice(1).map((block) => ({
    key: BigInt(block.slice(0, block.search(/\s/))),
    holder: block.includes("<< Reservation holder >>"),
    initiatorPort: /unique port id: (\S+?)(?:,i,0x|\s|$)/.exec(block)?.[1] ??
      `naa.${/SAS address: 0x([0-9a-f]+)/.exec(block)?.[1]?.padStart(16, "0") ?? "unknown"}`,
    relativeTargetPort: Number(/Relative port address: (0x[0-9a-f]+)/.exec(block)?.[1] ?? "NaN"),
  }));
  registrants.sort((a, b) => a.initiatorPort < b.initiatorPort ? -1 : 1);
  return { generation, registrants };
}

/** What `sg_persist --in --read-reservation` prints. */
export function parseReservation(text: string): LunState["reservation"] {
  if (/there is NO reservation held/.test(text)) return null;
  const [, key, type] = /Key=(0x[0-9a-f]+)\s+scope: LU_SCOPE,\s+type: (.+)/.exec(text) ?? [];
  const number = TYPES[type?.trim() ?? ""];
  if (key === undefined || number === undefined) throw new Error(`sg_persist printed no reservation: ${text}`);
  return { key: BigInt(key), type: number };
}
