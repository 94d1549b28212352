/**
 * `prmig migrate`: the two QEMUs, the hand-over between them, and what is told of it.
 *
 * @module
 */
import type { VmGate } from "../../migrate/vm/gates.ts";
import { PrmigError } from "../../errors.ts";
import { guestDirectory, type GuestEntry, type OpenGuest, openGuest } from "../../migrate/vm/guest_journal.ts";
import { type LunMove, startLunMove } from "../../migrate/vm/lun_move.ts";
import { type Migrated, migrateGuest } from "../../migrate/vm/migrate_guest.ts";
import type { Monitor } from "../../migrate/vm/monitor.ts";
import type { Lun } from "../../migrate/lun.ts";
import { cryptoRandom } from "../../migrate/tokens.ts";
import type { CommandContext } from "../context.ts";
import { openChannel } from "../hand_over/channel.ts";
import { OpenLuns } from "../hand_over/luns.ts";
import { rehearse } from "../hand_over/rehearse.ts";
import { tlsFiles } from "../hand_over/tls.ts";
import { CLOCK, openPorts } from "../hand_over/world.ts";
import { snoopedKey } from "../send/snooped.ts";
import { diskNames, openGuestLun } from "./guest_luns.ts";
import { openMonitor } from "./monitors.ts";
import { migratedJson, migratedText } from "./result.ts";
import { Teller } from "./teller.ts";
import { monitorWay, recvCommand, type StreamWay, streamWay } from "./ways.ts";

/** What the command line asks for. */
export interface MigrateInput {
  readonly qmp: string;
  readonly to: string;
  readonly dstQmp: string | undefined;
  readonly uri: string | undefined;
  readonly gate: VmGate | undefined;
  readonly disk: readonly string[];
  readonly key: bigint | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsCa: string | undefined;
  readonly timeout: number;
}

/**
 * How long a destination whose guest runs before it holds stays registered for a source that is gone: time enough for a
 * person to come and run `prmig recover`.
 */
const PATIENT_WINDOW_MS = 600_000;

/** Migrates. Errors: PrmigError, as migrateGuest has them. */
export async function runMigrate(input: MigrateInput, context: CommandContext): Promise<void> {
  const { timeout: timeoutMs } = input;
  const to = streamWay(input.to);
  const sourceWay = { kind: "socket", address: input.qmp } as const;
  const destinationWay = input.dstQmp === undefined ? null : monitorWay(input.dstQmp, to);
  const handOver = crypto.randomUUID();
  const teller = new Teller(context, () => CLOCK.now());
  const closing: (() => Promise<void> | void)[] = [];
  try {
    const source = await openMonitor(sourceWay, "source", timeoutMs);
    closing.unshift(() => source.close());
    const destination = destinationWay && await openMonitor(destinationWay, "destination", timeoutMs);
    if (destination) closing.unshift(() => destination.close());
    const journal = (gate: VmGate, wasRunning: boolean): Promise<OpenGuest> => {
      const entry: GuestEntry = {
        prmig: 1,
        handOver,
        gate,
        wasRunning,
        source: sourceWay,
        destination: destinationWay,
      };
      return openGuest(guestDirectory(context.env("PRMIG_STATE_DIR")), entry);
    };
    const scene = { input, to, handOver, source, destination, teller, journal, closing };
    const migrated = await migrateInScene(scene, context);
    teller.end();
    if (context.json) context.out.json(migratedJson(handOver, migrated));
    else for (const line of migratedText(migrated)) context.out.line(line);
  } finally {
    teller.end();
    for (const close of closing) await close();
  }
}

interface Scene {
  readonly input: MigrateInput;
  readonly to: StreamWay;
  readonly handOver: string;
  readonly source: Monitor;
  readonly destination: Monitor | null;
  readonly teller: Teller;
  readonly journal: (gate: VmGate, wasRunning: boolean) => Promise<OpenGuest>;
  /** What to give back at the end, the last first. */
  readonly closing: (() => Promise<void> | void)[];
}

async function migrateInScene(scene: Scene, context: CommandContext): Promise<Migrated> {
  const { input, source, destination, teller, closing } = scene;
  const { uri, gate, timeout: timeoutMs } = input;
  const named = diskNames(input.disk);
  const open = new OpenLuns(context);
  closing.unshift(() => open.close());
  let journal: OpenGuest | null = null;
  const ended = async (): Promise<void> => await journal?.forget();
  try {
    const migrated = await migrateGuest({
      source,
      destination,
      clock: CLOCK,
      random: cryptoRandom,
      signal: context.signal,
      report: (progress) => teller.step(progress),
      onProgress: (info) => teller.memory(info),
      rehearse,
      onPlan: (plan) => teller.plan(plan),
      openLun: (disk) => openGuestLun(disk, named, open),
      writeDown: async (gate, wasRunning) => {
        const opened = await scene.journal(gate, wasRunning);
        closing.unshift(() => opened.release());
        await opened.write();
        journal = opened;
      },
      handOver: (luns, devices, gate) => beginHandOver(scene, { luns, devices, gate, open }, context),
    }, { timeoutMs, ...uri !== undefined && { uri }, ...gate && { gate } });
    await ended();
    return migrated;
  } catch (error) {
    // What is known to be on one side has nothing left to recover.
    if (error instanceof PrmigError && error.kind !== "unsure") await ended();
    throw error;
  }
}

interface Beginning {
  readonly luns: readonly Lun[];
  /** The destination's own devices, where it told. */
  readonly devices: readonly string[] | null;
  readonly gate: VmGate;
  readonly open: OpenLuns;
}

/** The way to the other side's recv, the journal, and the hand-over through both. */
async function beginHandOver(
  { input, to, handOver, teller, closing }: Scene,
  { luns, devices, gate, open }: Beginning,
  context: CommandContext,
): Promise<LunMove> {
  const { timeout: timeoutMs } = input;
  const snooped = await snoopedKey(open.luns, context);
  const key = input.key ?? (luns.length === 1 ? snooped : undefined);
  const way = to.kind === "socket"
    ? { to: undefined, connect: to.address }
    : { to: recvCommand(to, devices, timeoutMs), connect: undefined };
  const channel = await openChannel({ ...way, tls: tlsFiles(input) }, CLOCK, context);
  closing.unshift(() => channel.close());
  const { ports, journal } = await openPorts(context, channel.link, handOver, "source");
  closing.unshift(() => journal.release());
  return startLunMove(luns, { ...ports, report: (progress) => teller.step(progress) }, {
    handOver,
    timeoutMs,
    ...gate === "completed" && { windowMs: Math.max(timeoutMs, PATIENT_WINDOW_MS) },
    writeOffer: channel.writeOffer,
    ...key !== undefined && { key },
  });
}
