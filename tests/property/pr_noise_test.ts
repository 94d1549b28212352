import { ShortBuffer } from "../../lib/bytes.ts";
import { decodeCapabilities } from "../../lib/pr/capabilities.ts";
import { decodePrCdb, PR_IN_ACTION, PR_OUT_ACTION } from "../../lib/pr/cdb.ts";
import { describeCommand, describePrIn, describeReply } from "../../lib/pr/describe.ts";
import { decodeFullStatus } from "../../lib/pr/full_status.ts";
import { Malformed } from "../../lib/pr/malformed.ts";
import { decodePrOut } from "../../lib/pr/pr_out.ts";
import { decodeReadKeys } from "../../lib/pr/read_keys.ts";
import { decodeReadReservation } from "../../lib/pr/read_reservation.ts";
import { decodeTransportId, readTransportId } from "../../lib/pr/transport_id.ts";
import { classify, describeOutcome } from "../../lib/scsi/outcome.ts";
import { decodeSense, describeSense } from "../../lib/scsi/sense.ts";
import { CASES } from "../support/cases.ts";
import { bombard, type Target } from "../support/noise.ts";
import { loadVectors } from "../support/vectors.ts";

const from = (...files: string[]): Uint8Array[] => files.flatMap((file) => [...loadVectors(file).values()]);
const lists = [...loadVectors("pr_out.hex")].filter(([name]) => name.endsWith("data")).map(([, bytes]) => bytes);
const blocks = [...loadVectors("pr_out.hex")].filter(([name]) => name.endsWith("cdb")).map(([, bytes]) => bytes);
const ids = from("transport_id.hex");
const NONE = new Uint8Array();

const TARGETS: readonly Target[] = [
  {
    name: "decodeSense, describeSense",
    decode: (bytes) => {
      const sense = decodeSense(bytes);
      return sense && [sense, describeSense(sense)];
    },
    examples: from("sense.hex"),
  },
  {
    name: "classify, describeOutcome",
    decode: (bytes) => {
      const [status = 0, hostStatus = 0, driverStatus = 0, use = 0] = bytes;
      const sense = bytes.subarray(4);
      const outcome = use % 2 === 0
        ? classify({ status: 0x02, sense })
        : classify({ status, sense, hostStatus, driverStatus });
      return [outcome, describeOutcome(outcome)];
    },
    examples: from("sense.hex").map((sense) => Uint8Array.of(2, 0, 0, 0, ...sense)),
  },
  {
    name: "decodePrCdb",
    decode: decodePrCdb,
    examples: [...blocks, ...from("cdb_in.hex")],
    errors: [ShortBuffer, Malformed],
  },
  { name: "decodeReadKeys", decode: decodeReadKeys, examples: from("read_keys.hex"), errors: [ShortBuffer, Malformed] },
  {
    name: "decodeReadReservation",
    decode: decodeReadReservation,
    examples: from("read_reservation.hex"),
    errors: [ShortBuffer],
  },
  { name: "decodeCapabilities", decode: decodeCapabilities, examples: from("capabilities.hex"), errors: [ShortBuffer] },
  { name: "decodeFullStatus", decode: decodeFullStatus, examples: from("full_status.hex"), errors: [ShortBuffer] },
  { name: "decodeTransportId", decode: decodeTransportId, examples: ids, errors: [ShortBuffer, Malformed] },
  { name: "readTransportId", decode: readTransportId, examples: ids },
  ...Object.entries(PR_OUT_ACTION)
    .filter(([name]) => ["register", "reserve", "registerAndMove"].includes(name))
    .map(([name, action]) => ({
      name: `decodePrOut, ${name}`,
      decode: (bytes: Uint8Array) => decodePrOut(action, bytes),
      examples: lists,
      errors: [ShortBuffer, Malformed],
    })),
  ...Object.entries(PR_IN_ACTION).map(([name, action]) => ({
    name: `describePrIn, ${name}`,
    decode: (bytes: Uint8Array) => describePrIn(action, bytes),
    examples: from("read_keys.hex", "read_reservation.hex", "capabilities.hex", "full_status.hex"),
  })),
  {
    name: "describeCommand, describeReply",
    decode: (bytes) => {
      const cdb = bytes.subarray(0, 10);
      const data = bytes.subarray(10);
      const reply = { status: bytes.length % 5 === 0 ? 2 : 0, sense: NONE, dataIn: data.slice() };
      return [describeCommand(cdb, data), describeReply(cdb, reply)];
    },
    examples: blocks.map((cdb, i) => Uint8Array.of(...cdb, ...lists[i]!)),
  },
];

for (const target of TARGETS) {
  Deno.test(`${target.name}: ${CASES} hostile byte strings give a value or the typed error, and no byte outside is read`, () => {
    bombard(target);
  });
}
