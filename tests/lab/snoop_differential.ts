/**
 * The same requests to the real qemu-pr-helper and to `prmig snoop`, each on a fresh LUN: the same replies, the same ends.
 */
import assert from "node:assert/strict";
import { toHex } from "../../lib/bytes.ts";
import { closeFd, O_NONBLOCK, O_RDONLY, O_RDWR, openFd } from "../../lib/sys/fd.ts";
import { dice } from "../support/dice.ts";
import { HelperClient } from "../support/helper_client.ts";
import { type ServingHelper, startSnoop, startStock } from "./helpers.ts";
import { labTest, lun, resetLun } from "./support.ts";

/** One request: from where, what, and with which descriptors. */
interface Request {
  readonly nexus: "A" | "B" | "C";
  readonly cdb: Uint8Array;
  readonly parameters: Uint8Array;
  readonly descriptors: "one" | "none" | "two" | "readOnly" | "null";
}

const REQUESTS = 550;
const KEYS = [0n, 0x11n, 0x22n, 0x33n];
/** PREEMPT AND ABORT that finds somebody hangs for ever on tcm_loop, whoever sends it; so here it finds nobody. */
const NOBODYS = 0x77n;
const TYPES = [0, 1, 2, 3, 5, 6, 7, 8, 15];

function prOut(
  action: number,
  type: number,
  rk: bigint,
  sark: bigint,
  flags = 0,
  length = 24,
): [Uint8Array, Uint8Array] {
  const cdb = new Uint8Array(16);
  cdb.set([0x5f, action, type, 0, 0, 0, 0, length >> 8, length & 0xff]);
  const list = new Uint8Array(Math.max(length, 24));
  new DataView(list.buffer).setBigUint64(0, rk);
  new DataView(list.buffer).setBigUint64(8, sark);
  list[20] = flags;
  return [cdb, list.subarray(0, length)];
}

function prIn(action: number, allocation: number): [Uint8Array, Uint8Array] {
  const cdb = new Uint8Array(16);
  cdb.set([0x5e, action, 0, 0, 0, 0, 0, allocation >> 8, allocation & 0xff]);
  return [cdb, new Uint8Array()];
}

/** Every service action, every length that matters, every end of a connection; written out, in an order that makes sense. */
function scripted(masking: boolean): Request[] {
  const list: Request[] = [];
  const add = (
    nexus: Request["nexus"],
    [cdb, parameters]: [Uint8Array, Uint8Array],
    descriptors: Request["descriptors"] = "one",
  ): void => {
    list.push({ nexus, cdb, parameters, descriptors });
  };
  for (const action of [0, 1, 2, 3, 4, 31]) {
    for (const allocation of [0, 1, 7, 8, 24, 256, 8191, 8192, 8193]) add("A", prIn(action, allocation));
  }
  add("A", prOut(0, 0, 0n, 0x11n));
  add("B", prOut(0, 0, 0n, 0x22n));
  add("C", prOut(6, 0, 0x99n, 0x11n));
  // LIO writes a descriptor of 48 bytes behind its header when 24 bytes are left: room that only the helper can give it.
  for (const allocation of [16, 23, 24, 25, 32, 55, 56, 72, 73, 104, 120]) add("A", prIn(3, allocation));
  for (const type of TYPES) {
    add("A", prOut(1, type, 0x11n, 0n));
    add("B", prOut(1, type, 0x22n, 0n));
    add("A", prIn(1, 256));
    add("B", prOut(4, type, 0x22n, 0x11n));
    add("A", prIn(0, 256));
    add("A", prOut(6, 0, 0n, 0x11n));
    add("A", prOut(5, type, 0x11n, NOBODYS));
    add("A", prOut(4, type, 0x11n, 0x22n));
    add("A", prOut(2, type, 0x11n, 0n));
    add("B", prOut(6, 0, 0n, 0x22n));
    add("C", prOut(0, 0, 0x11n, 0x11n));
    add("A", prIn(3, 1024));
  }
  for (const length of [0, 8, 15, 16, 23, 24, 25, 28, 48, 8192, 8193]) add("A", prOut(0, 0, 0x11n, 0x11n, 0, length));
  for (let action = 8; action < 32; action++) add("A", prOut(action, 5, 0x11n, 0x22n));
  for (const opcode of [0x00, 0x12, 0x28, 0x2a, 0x5d, 0x60, 0xff]) {
    const cdb = new Uint8Array(16);
    cdb[0] = opcode;
    add("A", [cdb, new Uint8Array()]);
  }
  add("A", prIn(0, 256), "none");
  add("A", prIn(0, 256), "two");
  add("A", prIn(0, 256), "null");
  add("A", prOut(0, 0, 0x11n, 0x11n), "null");
  add("A", prIn(0, 256), "readOnly");
  add("A", prOut(0, 0, 0x11n, 0x12n), "readOnly");
  const high = prOut(0, 0, 0x11n, 0x11n);
  high[0].set([1, 1], 5); // bytes 5..6 do not count as a length
  add("A", high);
  const junk = prIn(0, 256);
  junk[0].set([1, 2, 3, 4, 5, 6], 10);
  add("A", junk);
  add("A", prOut(3, 0, 0x11n, 0n));
  add("B", prIn(0, 64));
  add("C", prIn(0, 64));
  return masking ? list : list.concat(unmasked());
}

/**
 * What masking refuses, and --no-mask lets through; without SPEC_I_PT in a REGISTER: LIO refuses it when its list is wrong,
 * and then keeps the LUN from ever being taken away.
 */
function unmasked(): Request[] {
  const request = ([cdb, parameters]: [Uint8Array, Uint8Array]): Request => ({
    nexus: "A",
    cdb,
    parameters,
    descriptors: "one",
  });
  return [
    request(prOut(0, 0, 0n, 0x11n, 0x04)),
    request(prIn(3, 1024)),
    request(prOut(0, 0, 0x11n, 0n, 0x04)),
    request(prOut(7, 5, 0x11n, 0x22n)),
    request(prOut(7, 5, 0x11n, 0x22n, 0, 48)),
    request(prOut(6, 0, 0n, 0n, 0x0c)),
  ];
}

function random(count: number, seed: number, masking: boolean): Request[] {
  const roll = dice(seed);
  const pick = <T>(of: readonly T[]): T => of[roll(of.length)]!;
  return Array.from({ length: count }, (): Request => {
    const nexus = pick(["A", "A", "B", "B", "C"] as const);
    if (roll(4) === 0) {
      const [cdb, parameters] = prIn(roll(5), pick([8, 16, 24, 64, 256, 1024]));
      return { nexus, cdb, parameters, descriptors: "one" };
    }
    const action = pick([0, 0, 0, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6, masking ? 6 : 7, roll(32)]);
    const flags = pick(masking ? [0, 0, 1] : [0, 0, 0, 1, 4]);
    const length = pick([24, 24, 24, 24, 24, 24, 24, 24, 16, 28, 8]);
    const scope = roll(12) === 0 ? 0x10 : 0;
    const wanted = masking && action === 7 ? 6 : action;
    const rk = pick(KEYS), sark = wanted === 5 ? NOBODYS : pick(KEYS);
    const [cdb, parameters] = prOut(wanted, pick(TYPES) | scope, rk, sark, flags, length);
    return { nexus, cdb, parameters, descriptors: roll(40) === 0 ? "readOnly" : "one" };
  });
}

/** What came of one request, as text to compare. */
async function converse(helper: ServingHelper, requests: readonly Request[]): Promise<string[]> {
  const { nexuses } = lun();
  const open = (node: string, flags: number): Promise<number> => openFd(node, flags | O_NONBLOCK);
  const writable = {
    A: await open(nexuses.A.sd, O_RDWR),
    B: await open(nexuses.B.sd, O_RDWR),
    C: await open(nexuses.C.sd, O_RDWR),
  };
  const readable = await open(nexuses.A.sd, O_RDONLY);
  const nothing = await open("/dev/null", O_RDWR);
  const clients = new Map<string, HelperClient>();
  const said: string[] = [];
  try {
    for (const { nexus, cdb, parameters, descriptors } of requests) {
      const client = clients.get(nexus) ?? await HelperClient.greeted(helper.socket, 30_000);
      clients.set(nexus, client);
      const one = descriptors === "readOnly" ? readable : descriptors === "null" ? nothing : writable[nexus];
      try {
        client.write(cdb, descriptors === "none" ? [] : descriptors === "two" ? [one, one] : [one]);
        if (cdb[0] === 0x5f && parameters.length > 0 && parameters.length <= 8192) client.write(parameters);
      } catch (error) {
        assert.match(String(error), /EPIPE|ECONNRESET/); // closed already, as it should be
      }
      const reply = await client.reply().catch((error: Error) => {
        if (/ECONNRESET/.test(error.message)) return null;
        throw new Error(`request ${said.length}, ${nexus} ${toHex(cdb, " ")} | ${toHex(parameters)}: ${error.message}`);
      });
      if (reply === null) {
        client.close();
        clients.delete(nexus);
        said.push("closed");
        continue;
      }
      // On the read-only refusal the stock program leaves the rest of the sense as it lay in memory.
      const sense = descriptors === "readOnly" && cdb[0] === 0x5f ? reply.sense.subarray(0, 18) : reply.sense;
      said.push(
        `status ${reply.status}, size ${reply.size}, sense ${toHex(sense).replace(/(00)+$/, "")}, data ${
          toHex(reply.data)
        }`,
      );
    }
  } finally {
    clients.forEach((client) => client.close());
    [...Object.values(writable), readable, nothing].forEach(closeFd);
  }
  return said;
}

/** The documented difference: SIP_C and ATP_C of REPORT CAPABILITIES. */
function asMasked(said: string, { cdb }: Request): string {
  if (cdb[0] !== 0x5e || (cdb[1]! & 0x1f) !== 2) return said;
  return said.replace(
    /data (....)(..)/,
    (_whole, length, flags) => `data ${length}${(parseInt(flags, 16) & ~0x0c).toString(16).padStart(2, "0")}`,
  );
}

/** A test that sends the same requests to both, each with a fresh LUN. */
export function differential(name: string, args: readonly string[]): void {
  const masking = args.length === 0;
  const seed = masking ? 7 : 42;
  labTest(
    `qemu-pr-helper and prmig snoop give the same replies to ${REQUESTS} requests, ${name} (seed ${seed})`,
    async () => {
      const written = scripted(masking);
      const requests = [...written, ...random(REQUESTS - written.length, seed, masking)];
      assert.ok(requests.length >= 500 && requests.length - written.length > 200);
      const stock = await startStock();
      const expected = await converse(stock, requests);
      await stock.stop();
      await resetLun();
      const snoop = await startSnoop({ args });
      const got = await converse(snoop, requests).catch((error: Error) => {
        throw new Error(`${error.message}; the helper's last words: ${snoop.process.printed().stderr.slice(-500)}`);
      });
      const ended = await snoop.stop();
      assert.equal(ended.code, 0, ended.stderr);
      const differences = requests.flatMap((request, i) => {
        const want = masking ? asMasked(expected[i]!, request) : expected[i]!;
        if (got[i] === want) return [];
        const { nexus, cdb, parameters } = request;
        return [
          `${i}. ${nexus} ${toHex(cdb, " ")} | ${toHex(parameters.subarray(0, 48))}\n   stock: ${want}\n   prmig: ${
            got[i]
          }`,
        ];
      });
      assert.deepEqual(
        differences,
        [],
        `${differences.length} of ${requests.length} differ; ${ended.stderr.slice(-1500)}`,
      );
      const counts = new Map<string, number>();
      for (const said of got) counts.set(said.slice(0, 9), (counts.get(said.slice(0, 9)) ?? 0) + 1);
      for (const kind of ["closed", "status 0,", "status 2,", "status 24"]) {
        assert.ok((counts.get(kind) ?? 0) > 3, `${kind}: ${counts.get(kind)} of ${requests.length}`);
      }
      console.log(
        `${requests.length} requests, ${written.length} of them written out, seed ${seed}: ${
          JSON.stringify(Object.fromEntries(counts))
        }`,
      );
    },
  );
}
