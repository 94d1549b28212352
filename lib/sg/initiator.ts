/**
 * Which initiator port is ours on a path: what sysfs reveals of it, without a command. Null wherever it is not certain,
 * for a wrong answer would make a stranger's registration look like our own.
 *
 *     tcm_loop   only when this host is the target too: the loopback port's nexus in configfs
 *     iSCSI      session's initiator name; the port's ISID only from drivers that show it
 *     FC         fc_host port_name
 *     SAS        the local phys of the port the device hangs on, when they agree
 *
 * Inside a virtual machine the name on the wire is the host's, and nothing here tells it.
 *
 * @module
 */
import type { InitiatorHint } from "../pr/nexus.ts";
import { entries, type Host, readAttribute, realPath, THIS_HOST } from "./host.ts";

/**
 * Milliseconds for which an answer is believed for all LUNs of a target: no session or port comes and goes in less, and it takes
 * longer to find out than to ask the LUN who it is.
 */
const BELIEVED_MS = 500;

interface Believed {
  readonly initiator: InitiatorHint | null;
  readonly until: number;
}

/** By host and target, H:C:T. */
const believed = new WeakMap<Host, Map<string, Believed>>();

/** Finds our end of the path to the SCSI device at H:C:T:L; null when the host does not tell for certain. */
export function ownInitiator(hctl: string, host: Host = THIS_HOST): InitiatorHint | null {
  const target = targetOf(hctl);
  let known = believed.get(host);
  if (!known) believed.set(host, known = new Map());
  const now = performance.now();
  const found = known.get(target);
  if (found && now < found.until) return found.initiator;
  const initiator = look(hctl, host);
  known.set(target, { initiator, until: now + BELIEVED_MS });
  return initiator;
}

function targetOf(hctl: string): string {
  return hctl.slice(0, hctl.lastIndexOf(":"));
}

function look(hctl: string, host: Host): InitiatorHint | null {
  const device = realPath(`${host.sys}/class/scsi_device/${hctl}/device`);
  const number = /^\d+/.exec(hctl)?.[0];
  if (device === null || number === undefined) return null;
  const adapter = `host${number}`;
  return loopback(hctl, adapter, host) ?? iscsi(device, host) ?? fibreChannel(adapter, host) ??
    sas(device, adapter, host);
}

function loopback(hctl: string, adapter: string, host: Host): InitiatorHint | null {
  if (readAttribute(`${host.sys}/class/scsi_host/${adapter}/proc_name`) !== "tcm_loopback") return null;
  const target = targetOf(hctl); // a loopback port knows itself as H:C:I
  const fabric = `${host.sys}/kernel/config/target/loopback`;
  for (const wwn of entries(fabric)) {
    for (const group of entries(`${fabric}/${wwn}`)) {
      if (readAttribute(`${fabric}/${wwn}/${group}/address`) !== target) continue;
      return namedPort(readAttribute(`${fabric}/${wwn}/${group}/nexus`) ?? "");
    }
  }
  return null;
}

/** A port by the name LIO gives it: `naa.600140000000aaaa` is a SAS address, whatever the NAA. */
function namedPort(name: string): InitiatorHint | null {
  const [, prefix, digits] = /^(naa|fc)\.([0-9a-f]{16})$/i.exec(name.replaceAll(":", "")) ?? [];
  if (digits !== undefined) return exact(prefix === "fc" ? "fc" : "sas", digits);
  return /^(iqn|eui)\./i.test(name) ? { transportId: { protocol: "iscsi", address: name }, match: "prefix" } : null;
}

/** What open-iscsi begins every ISID with; the rest counts sessions. */
const OPEN_ISCSI_ISID = "00023d";

function iscsi(device: string, host: Host): InitiatorHint | null {
  const session = /\/(session\d+)\//.exec(device)?.[1];
  if (session === undefined) return null;
  const directory = `${host.sys}/class/iscsi_session/${session}`;
  const name = readAttribute(`${directory}/initiatorname`);
  if (!name) return null;
  const isid = readAttribute(`${directory}/isid`)?.replace(/^0x/i, "").toLowerCase();
  if (isid && /^[0-9a-f]{12}$/.test(isid)) return { ...port("iscsi", `${name},i,0x${isid}`), match: "exact" };
  return { ...port("iscsi", `${name},i,0x${OPEN_ISCSI_ISID}`), match: "prefix" };
}

function fibreChannel(adapter: string, host: Host): InitiatorHint | null {
  return exact("fc", readAttribute(`${host.sys}/class/fc_host/${adapter}/port_name`));
}

function sas(device: string, adapter: string, host: Host): InitiatorHint | null {
  // Without a SAS port on the way the device is the adapter's own making (a RAID volume), whose port is another matter.
  const sasPort = new RegExp(`^(.*/${adapter}/port-[0-9:]+)/`).exec(device)?.[1];
  if (sasPort === undefined) return null;
  const phys = entries(sasPort).filter((name) => name.startsWith("phy-"));
  const addresses = new Set(phys.map((phy) => readAttribute(`${sasPort}/${phy}/sas_phy/${phy}/sas_address`)));
  if (addresses.size > 1) return null;
  const [address] = addresses;
  return exact("sas", address ?? readAttribute(`${host.sys}/class/scsi_host/${adapter}/host_sas_address`));
}

/** A port named by 16 hex digits, other than zeros. */
function exact(protocol: "fc" | "sas", address: string | null): InitiatorHint | null {
  const digits = address?.replace(/^0x/i, "").toLowerCase() ?? "";
  return /^(?!0+$)[0-9a-f]{16}$/.test(digits) ? { ...port(protocol, digits), match: "exact" } : null;
}

function port(protocol: "fc" | "sas" | "iscsi", address: string): Pick<InitiatorHint, "transportId"> {
  return { transportId: { protocol, address } };
}
