/**
 * What ends a connection and what is answered, cut by cut: the same from qemu-pr-helper and from `prmig snoop`, and what the
 * protocol's description says.
 */
import assert from "node:assert/strict";
import { toHex } from "../../../lib/bytes.ts";
import { closeFd, O_NONBLOCK, O_RDONLY, O_RDWR, openFd } from "../../../lib/sys/fd.ts";
import { HelperClient } from "../../support/helper_client.ts";
import { descriptorsBack, pause, restingDescriptors, type ServingHelper, startSnoop, startStock } from "../helpers.ts";
import { labTest, lun, resetLun } from "../support.ts";

type Node = "lun" | "readOnly" | "null";
/** Bytes of one write, and what goes with them. */
type Piece = readonly [bytes: Uint8Array, ...descriptors: Node[]];

interface Talk {
  readonly name: string;
  readonly pieces: readonly Piece[];
  /** Statuses of the replies, in order. */
  readonly replies: readonly number[];
  /** Afterwards the server closes, or serves on, or is left in the middle. */
  readonly then: "closed" | "open" | "left";
  /** Bytes 0 to 3; a greeting that asks for nothing if undefined. */
  readonly greeting?: readonly Piece[];
}

const READ_KEYS = cdb(0x5e, 0, 256), REGISTER = cdb(0x5f, 6, 24);
const LIST = new Uint8Array(24).fill(0x11, 15, 16); // whatever was registered, 11h is from now on
const NONE = new Uint8Array(4);

function cdb(opcode: number, action: number, length: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([opcode, action, 0, 0, 0, 0, 0, length >> 8, length & 0xff]);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const cuts = Array.from({ length: 15 }, (_, i) => i + 1);
const TALKS: readonly Talk[] = [
  { name: "features", greeting: [[Uint8Array.of(0, 0, 0, 1)]], pieces: [], replies: [], then: "closed" },
  { name: "features in halves", greeting: [[NONE.slice(2)], [NONE.slice(2)]], pieces: [], replies: [], then: "open" },
  { name: "two descriptors", pieces: [[READ_KEYS, "lun", "lun"]], replies: [], then: "closed" },
  { name: "no descriptor", pieces: [[READ_KEYS]], replies: [], then: "closed" },
  { name: "no descriptor and no PR", pieces: [[cdb(0x12, 0, 96)]], replies: [], then: "closed" },
  { name: "no PR", pieces: [[cdb(0x12, 0, 96), "lun"]], replies: [], then: "closed" },
  { name: "PR IN of 8192 bytes", pieces: [[cdb(0x5e, 0, 8192), "lun"]], replies: [0], then: "open" },
  { name: "PR IN of 8193 bytes", pieces: [[cdb(0x5e, 0, 8193), "lun"]], replies: [], then: "closed" },
  { name: "PR OUT of 8193 bytes", pieces: [[cdb(0x5f, 6, 8193), "lun"]], replies: [], then: "closed" },
  { name: "PR OUT of no bytes", pieces: [[cdb(0x5f, 6, 0), "lun"]], replies: [2], then: "open" },
  { name: "PR OUT, read-only", pieces: [[REGISTER, "readOnly"], [LIST]], replies: [2], then: "open" },
  { name: "PR IN, read-only", pieces: [[READ_KEYS, "readOnly"]], replies: [0], then: "open" },
  { name: "no SCSI device", pieces: [[READ_KEYS, "null"]], replies: [2], then: "open" },
  { name: "one segment", pieces: [[joined(REGISTER, LIST), "lun"]], replies: [0], then: "open" },
  { name: "a descriptor with the list", pieces: [[REGISTER, "lun"], [LIST, "lun"]], replies: [0], then: "open" },
  { name: "bytes 5 and 6", pieces: [[REGISTER.with(5, 1).with(6, 1), "lun"], [LIST]], replies: [2], then: "open" },
  { name: "ahead", pieces: [[READ_KEYS, "lun"], [READ_KEYS, "lun"]], replies: [0, 0], then: "open" },
  { name: "ahead without", pieces: [[READ_KEYS, "lun"], [READ_KEYS]], replies: [0], then: "closed" },
  { name: "half a CDB", pieces: [[READ_KEYS.slice(0, 8), "lun"]], replies: [], then: "left" },
  { name: "half a list", pieces: [[REGISTER, "lun"], [LIST.slice(0, 12)]], replies: [], then: "left" },
  ...cuts.flatMap((cut): Talk[] => {
    const [head, tail] = [READ_KEYS.slice(0, cut), READ_KEYS.slice(cut)];
    const talk = { replies: [0], then: "open" } as const;
    return [
      { name: `CDB cut at ${cut}, descriptor first`, pieces: [[head, "lun"], [tail]], ...talk },
      { name: `CDB cut at ${cut}, descriptor last`, pieces: [[head], [tail, "lun"]], ...talk },
      {
        name: `CDB cut at ${cut}, two descriptors`,
        pieces: [[head, "lun"], [tail, "lun"]],
        replies: [],
        then: "closed",
      },
    ];
  }),
  ...[1, 8, 15, 16, 23].map((cut): Talk => ({
    name: `list cut at ${cut}`,
    pieces: [[REGISTER, "lun"], [LIST.slice(0, cut)], [LIST.slice(cut)]],
    replies: [0],
    then: "open",
  })),
];

/** Talks, and tells all that came back. */
async function hold(talk: Talk, { socket }: ServingHelper, nodes: Readonly<Record<Node, number>>): Promise<string> {
  const { name, pieces, replies, then, greeting = [[NONE]] } = talk;
  using client = await HelperClient.connect(socket, 60_000);
  const said = [`greeting ${toHex(await client.read(4) ?? new Uint8Array())}`];
  for (const [bytes, ...descriptors] of [...greeting, ...pieces]) {
    try {
      client.write(bytes, descriptors.map((node) => nodes[node]));
    } catch (error) {
      assert.match(String(error), /EPIPE|ECONNRESET/, name); // closed on the piece before
    }
    await pause(2); // so that pieces arrive one by one, more often than not; nothing depends on it
  }
  const hear = async (wanted: number): Promise<void> => {
    const reply = await client.reply();
    assert.equal(reply?.status, wanted, name);
    said.push(`${wanted} ${toHex(reply!.sense.subarray(0, 18))} ${toHex(reply!.data)}`);
  };
  for (const status of replies) await hear(status);
  if (then === "closed") assert.ok(await client.closed(), `${name}: closed`);
  if (then === "open") {
    client.send(READ_KEYS, nodes.lun);
    await hear(0);
  }
  return `${name}: ${said.join("; ")}; ${then}`;
}

async function holdAll(helper: ServingHelper): Promise<string[]> {
  const { sd } = lun().nexuses.A;
  const nodes = {
    lun: await openFd(sd, O_RDWR | O_NONBLOCK),
    readOnly: await openFd(sd, O_RDONLY | O_NONBLOCK),
    null: await openFd("/dev/null", O_RDWR),
  };
  const said: string[] = [];
  try {
    for (const talk of TALKS) said.push(await hold(talk, helper, nodes));
  } finally {
    Object.values(nodes).forEach(closeFd);
  }
  return said;
}

labTest(
  `${TALKS.length} talks, cut and spoilt in every way: qemu-pr-helper and prmig snoop end them alike`,
  async () => {
    const stock = await startStock();
    const expected = await holdAll(stock);
    await stock.stop();
    await resetLun();
    const snoop = await startSnoop();
    try {
      const before = await restingDescriptors(snoop);
      assert.deepEqual(await holdAll(snoop), expected);
      await descriptorsBack(snoop, before);
    } finally {
      assert.equal((await snoop.stop()).code, 0);
    }
  },
);
