/**
 * Finds SCSI in a line somebody pasted: from the kernel's log, from a trace, from the output of another program.
 *
 *     sd 0:0:1:0: [sda] tag#790 CDB: Persistent reserve out, register and ignore existing key 5f 06 00 ...
 *     sd 0:0:1:0: [sda] tag#790 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s
 *     sd 0:0:1:0: [sda] tag#790 Sense Key : Unit Attention [current]
 *     sd 0:0:1:0: [sda] tag#790 Add. Sense: Registrations preempted
 *     sd 1:0:1:0: reservation conflict
 *     sg_persist-150 [000] ..... 13.269972: scsi_dispatch_cmd_done: ... (see lib/snoop/kernel/trace_line.ts)
 *
 * Pure. Any text gives an answer; null where nothing is found.
 *
 * @module
 */
import { fromHex } from "../../bytes.ts";
import { ascName, SENSE_KEY_NAMES } from "../../scsi/asc.ts";
import { describeHostStatus } from "../../scsi/status.ts";

/** What a line tells. */
export interface LogFinding {
  /** H:C:T:L, and the disk's name, where the line says them. */
  readonly hctl: string | null;
  readonly disk: string | null;
  readonly said:
    | { readonly kind: "cdb"; readonly bytes: Uint8Array }
    | { readonly kind: "result"; readonly host: string; readonly driver: string | null }
    | { readonly kind: "senseKey"; readonly key: number; readonly deferred: boolean }
    | {
      readonly kind: "additionalSense";
      readonly text: string;
      readonly codes: readonly (readonly [number, number])[];
    }
    | { readonly kind: "conflict" };
}

const LONGEST_LINE = 8192;
const PAIRS = "(?:[0-9a-f]{2} ){5,}[0-9a-f]{2}";
/** Where other programs put a command block: `cdb: 5f ...`, `raw=5f ...`, `cdb=5f...`, QEMU's `data= 0x5f 0x06 ...`. */
const LABELLED = [
  new RegExp(`\\bCDB(?:\\[00\\])?:.*?\\b(${PAIRS})\\s*$`, "i"),
  new RegExp(`\\b(?:cdb|raw|cmd|cmnd|data)\\s*[=:]\\s*\\(?(${PAIRS})`, "i"),
  /\b(?:cdb|raw|cmd|cmnd|data)\s*[=:]\s*((?:0x[0-9a-f]{2}[ ,]*){6,})/i,
  /\b(?:cdb|raw|cmd|cmnd|data)\s*[=:]\s*(?:0x)?((?:[0-9a-f]{2}){6,})\b/i,
] as const;
/** Ten or sixteen bytes that begin as a PERSISTENT RESERVE does, anywhere. */
const BARE = /(?:^|[\s([{:=,])((?:5e|5f)(?: [0-9a-f]{2}){9}(?:(?: 00){6})?)(?=$|[\s)\]},.])/i;

/** Looks for SCSI in one line; null where there is none. */
export function findInLine(line: string): LogFinding | null {
  if (line.length > LONGEST_LINE) return null;
  const said = saidIn(line);
  if (said === null) return null;
  return {
    hctl: /\b(\d{1,5}:\d{1,5}:\d{1,7}:\d{1,20}):/.exec(line)?.[1] ?? null,
    disk: /\[(sd[a-z]{1,4})\]/.exec(line)?.[1] ?? null,
    said,
  };
}

function saidIn(line: string): LogFinding["said"] | null {
  for (const pattern of [...LABELLED, BARE]) {
    const hex = pattern.exec(line)?.[1];
    if (hex !== undefined) return { kind: "cdb", bytes: fromHex(hex.replaceAll(/0x|,/gi, "")) };
  }
  const result = /\bhostbyte=(\w{1,40})(?:\s+driverbyte=(\w{1,40}))?/.exec(line);
  if (result) return { kind: "result", host: nameOfHost(result[1]!), driver: result[2] ?? null };
  const key = /\bSense Key ?: ([A-Za-z][A-Za-z ]{2,30}?)(?:\s*\[(current|deferred)\]|\s*$)/i.exec(line);
  if (key) {
    const number = SENSE_KEY_NAMES.indexOf(key[1]!.trim().toUpperCase());
    return number < 0 ? null : { kind: "senseKey", key: number, deferred: key[2]?.toLowerCase() === "deferred" };
  }
  const additional = /\b(?:Add\.|Additional) sense: (.{3,100}?)\s*$/i.exec(line)?.[1];
  if (additional !== undefined) {
    return { kind: "additionalSense", text: additional, codes: codesNamed(additional) };
  }
  return /\d+:\d+:\d+:\d+: (?:\[\w+\] )?reservation conflict/i.test(line) ? { kind: "conflict" } : null;
}

/** Older kernels print the host byte as a number. */
function nameOfHost(text: string): string {
  if (!/^0x[0-9a-f]{1,4}$/i.test(text)) return text;
  const name = /host status (\w+) \(/.exec(describeHostStatus(Number(text)))?.[1];
  return name === undefined ? text : `DID_${name}`;
}

/** Additional sense codes of that name. The kernel prints a code it has no name for as numbers. */
function codesNamed(text: string): [asc: number, ascq: number][] {
  const numbers = /ASC=(?:0x)?([0-9a-f]{1,2})\s+ASCQ=(?:0x)?([0-9a-f]{1,2})/i.exec(text);
  if (numbers) return [[parseInt(numbers[1]!, 16), parseInt(numbers[2]!, 16)]];
  const wanted = text.toLowerCase();
  const found: [number, number][] = [];
  for (let code = 0; code < 0x10000; code++) {
    if (ascName(code >> 8, code & 0xff)?.toLowerCase() === wanted) found.push([code >> 8, code & 0xff]);
  }
  return found;
}
