/**
 * A whole hand-over on a LUN in memory, before the one that counts: what runs for the first time is compiled first, and that
 * is not to happen while a guest stands still. Touches no device and no journal.
 *
 * @module
 */
import { linesOf } from "../../migrate/lines.ts";
import { streamLink } from "../../migrate/links.ts";
import type { Lun } from "../../migrate/lun.ts";
import type { Link, Ports } from "../../migrate/ports.ts";
import { startDestination, startSource } from "../../migrate/start.ts";
import { OfferReader } from "../../migrate/stream.ts";
import { cryptoRandom } from "../../migrate/tokens.ts";
import { prOut } from "../../pr/commands.ts";
import { patient } from "../../pr/patient.ts";
import { MemoryLun } from "../../sim/memory_lun.ts";
import { CLOCK } from "./world.ts";

const KEY = 0x7265686561727365n; // "rehearse"
const TIMEOUT_MS = 5000;

/** Hands a reservation over in memory, `times` over. */
export async function rehearse(times = 6): Promise<void> {
  for (let i = 0; i < times; i++) await once();
}

async function once(): Promise<void> {
  const memory = new MemoryLun({ record: false });
  await prOut(memory.nexus("A"), { action: "register", rk: 0n, sark: KEY, aptpl: false });
  await prOut(memory.nexus("A"), { action: "reserve", rk: KEY, type: 5 });
  const [there, back] = [new TransformStream<Uint8Array, Uint8Array>(), new TransformStream<Uint8Array, Uint8Array>()];
  const [toThere, toBack] = [there.writable.getWriter(), back.writable.getWriter()];
  const linesThere = linesOf(there.readable);
  const source = ports(linkOver(linesOf(back.readable), toThere));
  const receive = async (): Promise<void> => {
    const reader = new OfferReader();
    while (!reader.whole) await reader.take((await linesThere.next()).value ?? "");
    const destination = ports(linkOver(linesThere, toBack)); // it listens from now on
    const find = (): Promise<Lun> => Promise.resolve(lun(memory, "B"));
    await startDestination(reader.whole, destination, { timeoutMs: TIMEOUT_MS, find });
  };
  await Promise.all([
    startSource([lun(memory, "A")], source, {
      handOver: crypto.randomUUID(),
      timeoutMs: TIMEOUT_MS,
      writeOffer: (bytes) => toThere.write(bytes),
    }),
    receive(),
  ]);
  await Promise.allSettled([toThere.close(), toBack.close()]);
}

function lun(memory: MemoryLun, name: string): Lun {
  return {
    device: name,
    designator: "naa.0",
    paths: [{ nexus: patient(memory.nexus(name)), relativeTargetPort: 1 }],
  };
}

function linkOver(lines: AsyncGenerator<string>, writer: WritableStreamDefaultWriter<Uint8Array>): Link {
  return streamLink({ lines, write: (bytes) => writer.write(bytes), clock: CLOCK, onBroken: () => undefined });
}

function ports(link: Link): Ports {
  return {
    link,
    clock: CLOCK,
    journal: { write: () => Promise.resolve() },
    random: cryptoRandom,
    report: () => {},
    interrupted: () => false,
  };
}
