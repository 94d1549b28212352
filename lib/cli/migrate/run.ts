/**
 * `prmig migrate`: the two QEMUs, the hand-over between them, and what is told of it.
 *
 * @module
 */
import type { VmGate } from "../../migrate/vm/gates.ts";
import { type LunMove, startLunMove } from "../../migrate/vm/lun_move.ts";
import { migrateGuest } from "../../migrate/vm/migrate_guest.ts";
import type { Lun } from "../../migrate/lun.ts";
import { cryptoRandom } from "../../migrate/tokens.ts";
import type { CommandContext } from "../context.ts";
import { openChannel } from "../hand_over/channel.ts";
import { OpenLuns } from "../hand_over/luns.ts";
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

/** Migrates. Errors: PrmigError, as migrateGuest has them. */
export async function runMigrate(input: MigrateInput, context: CommandContext): Promise<void> {
  const { uri, gate, timeout: timeoutMs } = input;
  const to = streamWay(input.to);
  const named = diskNames(input.disk);
  const handOver = crypto.randomUUID();
  const open = new OpenLuns(context);
  const teller = new Teller(context, () => CLOCK.now());
  const closing: (() => Promise<void> | void)[] = [() => open.close()];
  try {
    const source = await openMonitor({ kind: "socket", address: input.qmp }, "source", timeoutMs);
    closing.unshift(() => source.close());
    const destination = input.dstQmp === undefined
      ? null
      : await openMonitor(monitorWay(input.dstQmp, to), "destination", timeoutMs);
    if (destination) closing.unshift(() => destination.close());
    const migrated = await migrateGuest({
      source,
      destination,
      clock: CLOCK,
      random: cryptoRandom,
      signal: context.signal,
      report: (progress) => teller.step(progress),
      onProgress: (info) => teller.memory(info),
      onPlan: (plan) => teller.plan(plan),
      openLun: (disk) => openGuestLun(disk, named, open),
      handOver: async (luns, devices) => {
        const move = await beginHandOver({ input, to, luns, devices, handOver, open, teller }, context);
        closing.unshift(move.close);
        return move.luns;
      },
    }, { timeoutMs, ...uri !== undefined && { uri }, ...gate && { gate } });
    teller.end();
    if (context.json) context.out.json(migratedJson(handOver, migrated));
    else for (const line of migratedText(migrated)) context.out.line(line);
  } finally {
    teller.end();
    for (const close of closing) await close();
  }
}

interface Beginning {
  readonly input: MigrateInput;
  readonly to: StreamWay;
  readonly luns: readonly Lun[];
  readonly devices: readonly string[] | null;
  readonly handOver: string;
  readonly open: OpenLuns;
  readonly teller: Teller;
}

/** The way to the other side's recv, the journal, and the hand-over through both. */
async function beginHandOver(
  { input, to, luns, devices, handOver, open, teller }: Beginning,
  context: CommandContext,
): Promise<{ luns: LunMove; close: () => Promise<void> }> {
  const { timeout: timeoutMs } = input;
  const snooped = await snoopedKey(open.luns, context);
  const key = input.key ?? (luns.length === 1 ? snooped : undefined);
  const way = to.kind === "socket"
    ? { to: undefined, connect: to.address }
    : { to: recvCommand(to, devices, timeoutMs), connect: undefined };
  const channel = await openChannel({ ...way, tls: tlsFiles(input) }, CLOCK, context);
  const { ports, journal } = await openPorts(context, channel.link, handOver, "source").catch(async (error) => {
    await channel.close();
    throw error;
  });
  const move = startLunMove(luns, { ...ports, report: (progress) => teller.step(progress) }, {
    handOver,
    timeoutMs,
    writeOffer: channel.writeOffer,
    ...key !== undefined && { key },
  });
  const close = async (): Promise<void> => {
    journal.release();
    await channel.close();
  };
  return { luns: move, close };
}
