/**
 * open-iscsi: sessions with a target, each under an initiator name of its own, so that one machine is as many I_T
 * nexuses as it has names.
 *
 *   iface NAME (initiator name iqn...) --- session --- portal --- /dev/sdX /dev/sgN
 *
 * @module
 */
import { must } from "../run.ts";
import type { Portal } from "./lio.ts";

const SESSIONS = "/sys/class/iscsi_session";
const WAIT_MS = 60_000;
/** Made here when iscsid runs; gone with the machine. */
const STARTED = "/run/prmig-iscsid";

/** A session's disk. */
export interface IscsiPath {
  readonly initiator: string;
  /** /dev/sda */
  readonly sd: string;
  /** /dev/sg0 */
  readonly sg: string;
}

/** Starts iscsid, unless a test file before has done so: a machine has one. */
export async function startIscsid(initiator: string): Promise<void> {
  if (entries(STARTED).length > 0) return;
  await must(["modprobe", "iscsi_tcp"]);
  Deno.mkdirSync("/etc/iscsi", { recursive: true });
  await Deno.writeTextFile("/etc/iscsi/initiatorname.iscsi", `InitiatorName=${initiator}\n`);
  await must(["iscsid"]);
  Deno.mkdirSync(`${STARTED}/here`, { recursive: true });
}

/** The initiator name of the iface `name`. */
export function initiatorName(name: string): string {
  return `iqn.2026-01.org.prmig:${name.toLowerCase()}`;
}

/** Logs the iface `name` in and waits for the disk. `settings` are those of the node's record. */
export async function logIn(
  name: string,
  { target, address, lun }: Portal,
  settings: Readonly<Record<string, string>> = {},
): Promise<IscsiPath> {
  const initiator = initiatorName(name);
  const iface = ["iscsiadm", "-m", "iface", "-I", name];
  await must([...iface, "-o", "new"]);
  await must([...iface, "-o", "update", "-n", "iface.initiatorname", "-v", initiator]);
  const node = ["iscsiadm", "-m", "node", "-T", target, "-p", address, "-I", name];
  await must([...node, "-o", "new"]);
  for (const [key, value] of Object.entries(settings)) await must([...node, "-o", "update", "-n", key, "-v", value]);
  await must([...node, "--login"]);
  return await diskOf(initiator, target, lun);
}

/** Ends the session of the iface `name`. */
export async function logOut(name: string, { target, address }: Portal): Promise<void> {
  await must(["iscsiadm", "-m", "node", "-T", target, "-p", address, "-I", name, "--logout"]);
}

async function diskOf(initiator: string, target: string, lun: number): Promise<IscsiPath> {
  for (const until = Date.now() + WAIT_MS; Date.now() < until;) {
    const device = findDevice(initiator, target, lun);
    const [sd, sg] = [nodeOf(device, "block"), nodeOf(device, "scsi_generic")];
    if (sd !== null && sg !== null) return { initiator, sd, sg };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${initiator} has no LUN ${lun} of ${target} after ${WAIT_MS} ms`);
}

/** The sysfs directory of the LUN in the session between the two. */
function findDevice(initiator: string, target: string, lun: number): string | null {
  for (const session of entries(SESSIONS)) {
    const path = `${SESSIONS}/${session}`;
    const read = (name: string): string => Deno.readTextFileSync(`${path}/${name}`).trim();
    if (read("initiatorname") !== initiator || read("targetname") !== target) continue;
    for (const bus of entries(`${path}/device`).filter((each) => each.startsWith("target"))) {
      const found = entries(`${path}/device/${bus}`).find((each) => new RegExp(`^\\d+:\\d+:\\d+:${lun}$`).test(each));
      if (found !== undefined) return `${path}/device/${bus}/${found}`;
    }
  }
  return null;
}

function nodeOf(device: string | null, kind: "block" | "scsi_generic"): string | null {
  const [name] = device === null ? [] : entries(`${device}/${kind}`);
  return name === undefined ? null : `/dev/${name}`;
}

function entries(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
