/**
 * A dump for people: the holder first, then everybody else, aligned, in 80 columns.
 *
 *     /dev/sg3  (/dev/sdb, 2:0:0:1)
 *       lun          naa.6001405...
 *       product      LIO-ORG FILEIO, revision 4.0
 *       serial       a0a0a0a0-0000-4000-8000-000000000000
 *       reservation  Write Exclusive, Registrants Only (type 5)
 *       held under   0x0000000000123abc
 *       generation   3
 *       power loss   registrations would be forgotten (APTPL off)
 *       supports     types 1 3 5 6 7 8, ALL_TG_PT, SPEC_I_PT
 *
 *       KEY                 HOLDS  OURS  PORT  INITIATOR
 *       0x0000000000123abc  yes    yes   1     sas 5001405c8d1e0001
 *
 * Pure.
 *
 * @module
 */
import { describeTransportId } from "../../pr/describe.ts";
import type { TransportId } from "../../pr/transport_id.ts";
import { prTypeInfo } from "../../pr/types.ts";
import { clean } from "../clean.ts";
import type { Colour } from "../colour.ts";
import { table, wrap } from "../layout.ts";
import type { DumpRecord, DumpRegistration } from "./record.ts";

const INDENT = "  ";
const LABEL_COLUMNS = 13;

/** The lines of one device. */
export function dumpText(record: DumpRecord, colour: Colour, columns: number): string {
  const beside = [record.sg, record.block, record.hctl, ...(record.multipath === null ? [] : record.paths)]
    .filter((name) => name !== null && name !== record.device);
  const heading = colour.strong(clean(record.device)) +
    (beside.length > 0 ? `  (${[...new Set(beside)].map((name) => clean(name!)).join(", ")})` : "");
  return [
    heading,
    ...facts(record).flatMap(([label, text]) => fact(label, text, columns)),
    "",
    ...registrationTable(record.registrations, colour, columns),
    ...notes(record).flatMap((note) => ["", ...wrap(note, columns, INDENT).map((line) => colour.notice(line))]),
  ].join("\n");
}

function facts(record: DumpRecord): [label: string, text: string][] {
  const { lun, reservation, generation, capabilities } = record;
  const product = [lun.vendor, lun.product].filter((word) => word !== "").join(" ");
  const details = [
    product,
    ...(lun.revision === "" ? [] : [`revision ${lun.revision}`]),
  ];
  return [
    ["lun", lun.designator ?? "not known: the device reports no designator"],
    ["product", details.join(", ")],
    ...(lun.serial === null ? [] : [["serial", lun.serial] as [string, string]]),
    ...reservationFacts(reservation),
    ["generation", String(generation)],
    ["power loss", powerLoss(record)],
    ["supports", capabilities === null ? "not known: the device does not report it" : supports(record)],
    ...snoopedFacts(record.snooped),
  ];
}

function reservationFacts(reservation: DumpRecord["reservation"]): [label: string, text: string][] {
  if (reservation === null) return [["reservation", "none"]];
  const { typeName, type, key, scope } = reservation;
  const allRegistrants = prTypeInfo(type)?.allRegistrants === true;
  return [
    ["reservation", `${typeName} (type ${type})${scope === 0 ? "" : `, scope ${scope}`}`],
    ["held under", allRegistrants ? "every registrant's key" : key],
  ];
}

/** What the helper remembers; a difference from the LUN's own answer is a note below. */
function snoopedFacts(snooped: DumpRecord["snooped"]): [label: string, text: string][] {
  if (snooped === null) return [];
  const { key, type, since, agrees } = snooped;
  const what = /^0x0+$/.test(key) ? "not registered" : type === 0 ? key : `${key}, type ${type}`;
  return [["snooped", `${what}, since ${since}${agrees ? "" : " (the LUN says otherwise)"}`]];
}

function powerLoss({ capabilities }: DumpRecord): string {
  if (capabilities === null) return "not known: the device does not report it";
  if (capabilities.ptplActive) return "registrations survive it (APTPL on)";
  if (capabilities.ptplCapable) return "registrations do not survive it (APTPL possible, but off)";
  return "registrations do not survive it (no APTPL)";
}

function supports({ capabilities }: DumpRecord): string {
  const { types, typeMaskValid, allTargetPorts, specifyInitiatorPorts, replaceLost } = capabilities!;
  return [
    typeMaskValid ? `types ${types.join(" ") || "none"}` : "types not said",
    ...(allTargetPorts ? ["ALL_TG_PT"] : []),
    ...(specifyInitiatorPorts ? ["SPEC_I_PT"] : []),
    ...(replaceLost ? ["REPLACE LOST RESERVATION"] : []),
  ].join(", ");
}

function fact(label: string, text: string, columns: number): string[] {
  const lines = wrap(clean(text), columns, " ".repeat(INDENT.length + LABEL_COLUMNS));
  return [INDENT + label.padEnd(LABEL_COLUMNS) + (lines[0] ?? "").trimStart(), ...lines.slice(1)];
}

function registrationTable(registrations: readonly DumpRegistration[], colour: Colour, columns: number): string[] {
  if (registrations.length === 0) return [INDENT + "nobody is registered"];
  const head = ["KEY", "HOLDS", "OURS", "PORT"];
  const rows = registrations.map((r) => [r.key, verdict(r.holder), verdict(r.self), portText(r)]);
  const lines = table([[...head, "INITIATOR"], ...rows.map((row) => [...row, "x"])], INDENT);
  const at = lines[0]!.indexOf("INITIATOR");
  const body = registrations.flatMap((registration, i) => {
    const style = registration.self === true ? colour.good : registration.holder === true ? colour.strong : same;
    const [first, ...rest] = pieces(initiatorText(registration.transportId), Math.max(columns - at, 20));
    return [lines[i + 1]!.slice(0, at) + first, ...rest.map((piece) => " ".repeat(at) + piece)]
      .map((line) => style(line.trimEnd()));
  });
  return [colour.faint(lines[0]!), ...body];
}

function verdict(value: boolean | null): string {
  return value === null ? "?" : value ? "yes" : "-";
}

function portText({ relativeTargetPort: port }: DumpRegistration): string {
  return port === null ? "?" : String(port);
}

/** An iSCSI name says by itself what it is. */
function initiatorText(id: TransportId | null): string {
  if (id === null) return "?";
  return clean(id.protocol === "iscsi" ? id.address : describeTransportId(id));
}

/** A name too long for its column, in pieces; an iSCSI port is parted before its ISID where that helps. */
function pieces(text: string, columns: number): string[] {
  if (text.length <= columns) return [text];
  const isid = text.lastIndexOf(",i,0x");
  if (isid > 0 && isid <= columns) return [text.slice(0, isid), ...pieces(text.slice(isid), columns)];
  return [text.slice(0, columns), ...pieces(text.slice(columns), columns)];
}

function notes({ registrations, fullStatus, unusablePaths, snooped }: DumpRecord): string[] {
  const said = unusablePaths.map(({ reason }) => `note: ${clean(reason)}`);
  if (snooped?.difference) said.push(`note: ${clean(snooped.difference)}.`);
  if (!fullStatus) {
    said.push("note: this device has no READ FULL STATUS; who is behind a key, and at which port, is not known.");
  } else if (registrations.some(({ self }) => self === null)) {
    said.push("note: reading alone does not tell which of the registrations marked ? are ours.");
  }
  return said;
}

function same(text: string): string {
  return text;
}
