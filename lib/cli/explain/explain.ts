/**
 * From an item to its explanations. Pure, and total but for {@link Unclear}.
 *
 * @module
 */
import { BeWriter, ShortBuffer } from "../../bytes.ts";
import { Malformed } from "../../pr/malformed.ts";
import { formatKey } from "../../pr/types.ts";
import { ascName, SENSE_KEY_NAMES } from "../../scsi/asc.ts";
import { describeStatus, STATUS } from "../../scsi/status.ts";
import { submittedOf } from "../../snoop/kernel/submitted.ts";
import { type DispatchLine, parseTraceLine, type ProbeLine } from "../../snoop/kernel/trace_line.ts";
import { explainCommand } from "./command.ts";
import { explainKey } from "./data.ts";
import type { Explanation } from "./explanation.ts";
import { type Kind, kindsOf } from "./kinds.ts";
import { findInLine, type LogFinding } from "./log_line.ts";
import { CONFLICT_NOTE, keyNotes, senseNotes } from "./meaning.ts";
import { explainSenseCode } from "./status.ts";
import type { Item } from "./words.ts";

type Row = readonly [label: string, value: string];

/** Nothing can be said of it. The message completes "cannot explain it: ...". */
export class Unclear extends Error {
  override readonly name = "Unclear";
}

/** Explains an item, by its own looks or `as` what somebody says it is; null for a line with no SCSI in it. */
export function explainItem(item: Item, as: Kind | null): Explanation | null {
  switch (item.kind) {
    case "bytes":
      return as === null ? explainLikeliest(item.bytes) : explainAs(item.bytes, as);
    case "key":
      if (as !== null && as.name !== "key") {
        return explainAs(new BeWriter(8).u64(0, item.key).bytes, as);
      }
      return explainKey(item.key);
    case "senseCode":
      return explainSenseCode(item.key, item.asc, item.ascq);
    case "line":
      return explainLine(item.text);
  }
}

function explainLikeliest(bytes: Uint8Array): Explanation {
  const kinds = kindsOf(bytes);
  for (const [i, kind] of kinds.entries()) {
    const said = attempt(bytes, kind);
    if (said === null || said instanceof Error) continue;
    const others = kinds.slice(i + 1).filter((other) => {
      const alternative = attempt(bytes, other);
      return alternative !== null && !(alternative instanceof Error);
    });
    if (others.length === 0) return said;
    const names = others.map(({ name, what }) => `${what} (--as ${name})`).join(", or ");
    return {
      ...said,
      notes: [...said.notes, `The same bytes could also be ${names}.`],
      facts: { ...said.facts, couldAlsoBe: others.map(({ name }) => name) },
    };
  }
  const count = bytes.length === 1 ? "1 byte" : `${bytes.length} bytes`;
  throw new Unclear(`${count} that look like nothing known here; --as says what they are`);
}

function explainAs(bytes: Uint8Array, as: Kind): Explanation {
  const said = attempt(bytes, as);
  if (said instanceof Error) throw new Unclear(`as ${as.what}: ${said.message}`);
  if (said === null) throw new Unclear(`${bytes.length} bytes that cannot be ${as.what}`);
  return said;
}

function attempt(bytes: Uint8Array, kind: Kind): Explanation | Error | null {
  try {
    return kind.explain(bytes);
  } catch (error) {
    if (error instanceof ShortBuffer || error instanceof Malformed) return error;
    throw error;
  }
}

function explainLine(text: string): Explanation | null {
  const trace = parseTraceLine(text);
  if (trace.kind === "probe") return explainProbe(trace);
  if ("cdb" in trace) return explainDispatch(trace);
  const found = findInLine(text);
  return found && explainFinding(found);
}

function explainFinding({ hctl, disk, said }: LogFinding): Explanation | null {
  const where: Row[] = [
    ...(hctl === null ? [] : [["H:C:T:L", hctl] as const]),
    ...(disk === null ? [] : [["DISK", `/dev/${disk} when this was logged`] as const]),
  ];
  const place = { hctl, disk };
  switch (said.kind) {
    case "cdb": {
      const kind = kindsOf(said.bytes).find(({ name }) => name.endsWith("cdb"));
      const explained = kind && attempt(said.bytes, kind);
      if (!explained || explained instanceof Error) return null;
      return { ...explained, rows: [...where, ...explained.rows], facts: { ...explained.facts, ...place } };
    }
    case "result": {
      const { host, driver } = said;
      const words = host === "DID_OK"
        ? "the transport did its work: status and sense tell what became of the command"
        : `host status ${
          host.replace(/^DID_/, "")
        }: the transport failed, and whether the command was executed is not known`;
      const rows: Row[] = [
        ...where,
        ["HOST BYTE", host],
        ...(driver === null ? [] : [["DRIVER BYTE", driver] as const]),
      ];
      return { title: `result: ${words}`, rows, notes: [], facts: { kind: "result", host, driver, ...place } };
    }
    case "senseKey": {
      const name = SENSE_KEY_NAMES[said.key]!;
      const title = `sense key: ${name}${said.deferred ? ", deferred from an earlier command" : ""}`;
      const notes = said.key === 6 ? ["The command was not executed: it is to be sent again."] : [];
      return { title, rows: where, notes, facts: { ...said, name, ...place } };
    }
    case "additionalSense": {
      const codes = said.codes.map(([asc, ascq]) => ({ asc, ascq, name: ascName(asc, ascq) ?? null }));
      const shown = codes.map(({ asc, ascq }) => `${hex(asc)}/${hex(ascq)}`).join(" or ") || "a code not known here";
      const name = codes[0]?.name ?? said.text;
      // Without its sense key a code is shown by the key it usually comes with: unit attention for what others did.
      const notes = codes.flatMap(({ asc, ascq }) =>
        [5, 6].flatMap((key) => senseNotes({ format: "fixed", deferred: false, key, asc, ascq }))
      );
      const facts = { kind: "additionalSense", text: said.text, codes, ...place };
      return { title: `additional sense: ${name} (${shown})`, rows: where, notes, facts };
    }
    case "conflict":
      return {
        title: "status: RESERVATION CONFLICT",
        rows: where,
        notes: [CONFLICT_NOTE],
        facts: { kind: "status", status: STATUS.reservationConflict, name: "RESERVATION CONFLICT", ...place },
      };
  }
}

const STAGE: Readonly<Record<DispatchLine["kind"], string>> = {
  start: "handed to the driver",
  done: "answered",
  error: "refused by the driver, will be sent again",
  timeout: "not answered in time",
};

function explainDispatch(line: DispatchLine): Explanation | null {
  const { kind, hctl, tag, cdb, status, host, sense, comm, tid, tgid } = line;
  const command = attempt(cdb, {
    name: "",
    what: "",
    fits: () => true,
    explain: (bytes) => explainCommand(bytes, null),
  });
  if (command === null || command instanceof Error) return null;
  const task = { comm, pid: tgid ?? tid };
  const ended = [
    ...(status === null ? [] : [describeStatus(status)]),
    ...(sense === null ? [] : [explainSenseCode(sense.key, sense.asc, sense.ascq).title]),
    ...(host === null || host === "DID_OK" ? [] : [`host status ${host.replace(/^DID_/, "")}`]),
  ].join(", ");
  const rows: Row[] = [
    ["EVENT", STAGE[kind]],
    ["H:C:T:L", hctl],
    ...(tag === null ? [] : [["TAG", String(tag)] as const]),
    // Only the line at the start is written by the one who sends; an answer comes on whatever ran just then.
    ...(kind === "start" ? [["SENT BY", `${comm}, process ${tgid ?? tid}`] as const] : []),
    ...(ended === "" ? [] : [["ENDED IN", ended] as const]),
  ];
  const notes = [
    ...command.notes.filter((note) => !note.startsWith("The keys are in the parameter list")),
    ...(sense === null ? [] : senseNotes({ format: "fixed", deferred: false, ...sense })),
    ...(status === STATUS.reservationConflict ? [CONFLICT_NOTE] : []),
  ];
  const facts = { ...command.facts, event: kind, hctl, tag, status, sense, host, ...(kind === "start" ? task : {}) };
  return {
    title: ended === "" ? command.title : `${command.title} -> ${ended}`,
    rows: [...rows, ...command.rows],
    notes,
    facts,
  };
}

/** A line of prmig's own probes: what a program submitted, with its keys. */
function explainProbe(line: ProbeLine): Explanation | null {
  const submitted = submittedOf(line);
  if (submitted === null) return null;
  const { probe, task, cdbHead, keys } = submitted;
  const rows: Row[] = [
    ["PROBE", `${probe.name}, on ${probe.symbol}`],
    ["SENT BY", `${task.comm}, process ${task.tgid ?? task.tid}`],
  ];
  const facts = { event: "submitted", probe: probe.name, comm: task.comm, pid: task.tgid ?? task.tid };
  if (cdbHead !== null && keys !== null) {
    const list = new BeWriter(24).u64(0, keys.rk).u64(8, keys.sark ?? 0n);
    if (keys.tail !== null) list.put(16, keys.tail);
    const command = attempt(cdbHead, {
      name: "",
      what: "",
      fits: () => true,
      explain: (bytes) => explainCommand(bytes, list.bytes),
    });
    if (command === null || command instanceof Error) return null;
    return { ...command, rows: [...rows, ...command.rows], facts: { ...command.facts, ...facts } };
  }
  if (keys === null) return null;
  const { rk, sark } = keys;
  return {
    title: `${probe.symbol}: rk=${formatKey(rk)}${sark === null ? "" : ` sark=${formatKey(sark)}`}`,
    rows,
    notes: ["A reservation asked for through the block device's own interface.", ...keyNotes(rk, sark ?? 0n)],
    facts: { kind: "submitted", rk: formatKey(rk), sark: sark === null ? null : formatKey(sark), ...facts },
  };
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0");
}
