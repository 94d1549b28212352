/**
 * One run of the matrix on a guest in the lab: the migration, the harm, what prmig asks for afterwards, and the verdict.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Guest } from "../guest/guest.ts";
import { parseTick } from "../guest/console.ts";
import { Journey, whoHolds } from "../migrating.ts";
import { lun, prmig, prmigCommand, type Running, type Sshd, start } from "../support.ts";
import { Ambush } from "./ambush.ts";
import { type Cell, type Expected, expected, type Harm } from "./failures.ts";
import { childrenOf, isRunning, othersOf } from "./processes.ts";

/** How a run went. */
export interface Ran {
  readonly exit: number;
  /** That of what was done afterwards, as prmig asks: `recover`, or `rollback`. */
  readonly remedyExit: number | null;
  /** Where the guest counts. */
  readonly side: "source" | "destination";
  /** Who is registered and holds, as an independent witness reads it. */
  readonly lun: string;
  readonly failedWrites: number;
  readonly seconds: number;
}

const STATE = "/var/lib/prmig";
/** The other host has a disk of its own. */
const STATE_THERE = "/var/lib/prmig-there";
const LIMIT = ["--timeout", "60s"];
const RECV_ENDS_MS = 60_000;
const KILLED = 137;
/** A signal has been heard by then. */
const HEARD_MS = 3000;

/** Runs one cell; the guest is then on whichever side it belongs to. Rejects where anything is not as it must be. */
export async function runCell(journey: Journey, cell: Cell, sshd: () => Promise<Sshd>): Promise<Ran> {
  const { gate, harm, moment } = cell;
  const wanted = expected(cell)!;
  const began = performance.now();
  const destination = await journey.destination({ paused: gate === "paused" });
  const since = journey.here.console.lines.length;
  let process: Running | null = null;
  const killed = Promise.withResolvers<{ code: number; stderr: string }>();
  using ambush = new Ambush(
    journey.here,
    destination,
    gate,
    moment,
    () => strike(cell, journey, destination, process!, killed.resolve),
  );
  const to = await wayToRecv(journey, harm, sshd);
  process = start(
    prmigCommand(journey.arguments(destination, [
      ...["--json", "--gate", gate, "--qmp", ambush.source.path, "--to", to, ...LIMIT],
      ...gate === "paused" ? ["--dst-qmp", `unix:${ambush.destination.path}`] : [],
    ])),
    { timeoutMs: 300_000 },
  );
  // A killed prmig leaves a recv that lives on, with its stderr: nobody waits for that before `recover`.
  const { code: exit, stderr } = await Promise.race([process.finished, killed.promise]);
  if (ambush.failure) throw ambush.failure;
  assert(ambush.sprung || moment === null, `its moment never came; prmig ended with ${exit}: ${stderr}`);
  assert(wanted.exits.includes(exit), `prmig ended with ${exit}: ${stderr}`);
  const remedyExit = await remedy(exit, journey, stderr);
  await othersGone();
  await process.finished;
  const counted = await settled(journey, destination, wanted, since);
  if (!wanted.mayFailWrites) assert.equal(counted, 0, `${counted} writes of the guest failed`);
  const holds = await whoHolds();
  assert.equal(holds, `${journey.at}=beef*`);
  assert.deepEqual(leftToRecover(), []);
  const seconds = Math.round((performance.now() - began) / 1000);
  return { exit, remedyExit, side: wanted.side, lun: holds, failedWrites: counted, seconds };
}

/** `recv`, with the destination's device, or a wrong one. */
async function wayToRecv(journey: Journey, harm: Harm, sshd: () => Promise<Sshd>): Promise<string> {
  const there = journey.elsewhere;
  const devices = harm === "LUN missing"
    ? ["/dev/sdzz"]
    : harm === "another LUN"
    ? [lun(1).nexuses[there].sd]
    : journey.devicesAt(there);
  const recv = ["env", `PRMIG_STATE_DIR=${STATE_THERE}`, ...prmigCommand(["recv", ...devices, ...LIMIT])].join(" ");
  return harm === "ssh cut" ? `${(await sshd()).line} ${recv}` : recv;
}

async function strike(
  { harm, moment }: Cell,
  journey: Journey,
  destination: Guest,
  process: Running,
  killed: (how: { code: number; stderr: string }) => void,
): Promise<boolean> {
  switch (harm) {
    case "destination killed":
      await destination.kill();
      return true;
    case "migrate_cancel":
      await journey.here.qmp.execute("migrate_cancel");
      return true;
    case "prmig killed":
      process.kill("SIGKILL");
      while (isRunning(process.pid)) await new Promise((resolve) => setTimeout(resolve, 20));
      killed({ code: KILLED, stderr: process.printed().stderr });
      return false;
    case "Ctrl-C": {
      process.kill("SIGINT");
      // A signal is not there yet because it was sent. One that comes too late to call anything off says nothing.
      const deadline = performance.now() + HEARD_MS;
      while (!process.printed().stderr.includes("interrupted") && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return true;
    }
    case "ssh cut": {
      const [ssh] = await childrenOf(process.pid, "ssh");
      // A recv that has taken has nothing more to wait for: its connection may have ended by itself, and is over as well.
      assert(ssh !== undefined || moment === "late", "prmig has no ssh");
      if (ssh !== undefined) Deno.kill(ssh, "SIGKILL");
      return true;
    }
    default:
      return true;
  }
}

/** What a person does next, who does as prmig says. */
async function remedy(exit: number, journey: Journey, stderr: string): Promise<number | null> {
  if (exit === KILLED) {
    const { code, stderr: told } = await prmig(["recover", ...LIMIT], { timeoutMs: 120_000 });
    assert.equal(code, 0, told);
    return code;
  }
  if (exit !== 5) return null;
  assert.match(stderr, /if the guest never ran there: prmig rollback/);
  const [name] = guestJournals();
  assert(name !== undefined, "prmig has not written the migration down");
  const { code, stderr: told } = await prmig(["rollback", name], { timeoutMs: 120_000 });
  assert.equal(code, 0, told);
  await journey.here.qmp.execute("cont");
  return code;
}

/** The guest counts on one side, and the other does not run; gives how many of its writes failed. */
async function settled(
  journey: Journey,
  destination: Guest,
  { side, mayFailWrites }: Expected,
  since: number,
): Promise<number> {
  if (side === "destination") {
    assert.equal(await runs(journey.here), false, "the guest runs on the source as well");
    await journey.arrivedIn(destination, since);
    return 0;
  }
  assert.equal(await runs(destination), false, "the guest runs on the destination");
  let last = await journey.here.console.moreTicks(3);
  // What was written in that moment may be told a while after prmig has ended; from then on every write is good.
  if (mayFailWrites && last.some(({ ok }) => !ok)) last = await journey.here.console.moreTicks(3);
  assert.deepEqual(last.filter(({ ok }) => !ok), []);
  const ticks = journey.here.console.lines.slice(since).map(parseTick).filter((tick) => tick !== undefined);
  assert.deepEqual(ticks.map(({ counter }) => counter), ticks.map((_, i) => ticks[0]!.counter + i));
  await destination.stop();
  return ticks.filter(({ ok }) => !ok).length;
}

/** Whether a QEMU's guest runs; one that has ended runs nothing. */
async function runs(guest: Guest): Promise<boolean> {
  const { status } = await Promise.race([
    guest.ended.then(() => ({ status: "ended" })),
    guest.qmp.execute("query-status") as Promise<{ status: string }>,
  ]).catch(async (error) => {
    // A QEMU that dies while it is asked says nothing; a living one answers.
    await guest.ended;
    return { status: `ended: ${error}` };
  });
  return status === "running";
}

/** A `recv` whose prmig was killed, or cut off, ends by itself; the next run is not to meet it. */
async function othersGone(): Promise<void> {
  const deadline = performance.now() + RECV_ENDS_MS;
  for (;;) {
    const left = await othersOf(["recv"]);
    if (left.length === 0) return;
    const words = left.map(({ pid, argv }) => `${pid}: ${argv.join(" ")}`).join();
    if (performance.now() > deadline) throw new Error(`recv has not ended after ${RECV_ENDS_MS} ms: ${words}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What a run that went wrong left behind, so that the next one is judged for itself. */
export async function clearAway(): Promise<void> {
  for (const { pid } of await othersOf(["recv"])) {
    Deno.kill(pid, "SIGKILL");
    while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await Deno.remove(STATE_THERE, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

function guestJournals(): string[] {
  return namesIn(`${STATE}/guest`).filter((name) => name.endsWith(".json")).map((name) => name.replace(".json", ""));
}

/** What is in flight, which nothing must be. */
function leftToRecover(): string[] {
  const inFlight = (name: string): boolean => name.endsWith(".json") && !name.endsWith(".closed.json");
  return [...guestJournals(), ...[STATE, STATE_THERE].flatMap((state) => namesIn(`${state}/journal`).filter(inFlight))];
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
