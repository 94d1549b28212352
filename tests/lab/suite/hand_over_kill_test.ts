/**
 * SIGKILL at random moments: 30 of the source, 30 of the destination (PRMIG_KILLS for another number, PRMIG_SEED to
 * repeat a run), while a third nexus tries to reserve the LUN all the time. After `recover` on both sides exactly one of
 * them holds, and nobody else was touched. Two rounds run side by side, one on each of the lab's LUNs.
 */
import assert from "node:assert/strict";
import { prOut } from "../../../lib/pr/commands.ts";
import { openSgDevice } from "../../../lib/sg/device.ts";
import { randomFrom } from "../../support/random.ts";
import {
  type Finished,
  type LabLun,
  labTest,
  lun,
  pipe,
  prmigCommand,
  readState,
  register,
  reserve,
  run,
  type Running,
  sgPersist,
} from "../support.ts";

const K = 0x123abcn;
const C_KEY = 0xccccn;
const KILLS = Number(Deno.env.get("PRMIG_KILLS") ?? "30");
const SEED = Number(Deno.env.get("PRMIG_SEED") ?? String(Date.now() % 1_000_000));
const TYPES = [5, 8, 1, 6];

labTest(`SIGKILL at ${KILLS} random moments of each side: recover always ends with one holder`, async () => {
  console.log(`seed ${SEED}`);
  const random = randomFrom(SEED);
  const victims = Array.from({ length: 2 * KILLS }, (_, i) => ({
    victim: i % 2 === 0 ? "source" as const : "destination" as const,
    type: TYPES[Math.floor(i / 2) % TYPES.length]!,
    moment: random(),
    sourceFirst: random() < 0.5,
  }));
  await undisturbed(); // the first one also fills the runtime's caches
  const lengthMs = 2 * await undisturbed(); // the third nexus, which tries all the time, slows the others down
  console.log(`kills come within ${Math.round(lengthMs)} ms of the first sign of life`);
  const outcomes: Record<string, number> = {};
  const lanes = [0, 1].map(async (number) => {
    for (let next = victims.pop(); next; next = victims.pop()) {
      const outcome = await round(number, next, lengthMs);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  });
  await Promise.all(lanes);
  console.log(`killed, then: ${JSON.stringify(outcomes)}`);
  assert.equal(Object.values(outcomes).reduce((a, b) => a + b), 2 * KILLS);
  // If all rounds had ended on one side, the kills would not have come in the middle.
  assert(KILLS < 10 || Object.keys(outcomes).length === 2, "no kill made a difference");
});

/** The reserved LUN, whatever an earlier round left of it. */
async function setScene(number: number, type: number): Promise<LabLun["nexuses"]> {
  const { nexuses } = lun(number);
  const { A, C } = nexuses;
  await register(C, C_KEY);
  await sgPersist(["--out", "--clear", `--param-rk=0x${C_KEY.toString(16)}`, C.sg]);
  await register(C, C_KEY);
  await register(A, K);
  await reserve(A, K, type);
  return nexuses;
}

/** `timeout` bounds what the survivor of a kill waits; an undisturbed hand-over needs none, on a busy machine least of all. */
function handOver(number: number, timeout: string): ReturnType<typeof pipe> {
  const { A, B } = lun(number).nexuses;
  const side = (name: string, words: string[]): string[] => [
    "env",
    ...assignments(stateOf(number, name)),
    ...prmigCommand([...words, "--timeout", timeout]),
  ];
  return pipe(side("source", ["send", A.sd]), side("destination", ["recv", B.sd]));
}

function stateOf(number: number, side: string): Record<string, string> {
  return { PRMIG_STATE_DIR: `/run/kill-${number}-${side}` };
}

/** Milliseconds from the first sign of life to the end of a hand-over that nobody disturbs, two at a time as later on. */
async function undisturbed(): Promise<number> {
  const lengths = await Promise.all([0, 1].map(async (number) => {
    await setScene(number, 5);
    const { left, right } = handOver(number, "50s");
    await signOfLife(left, right);
    const began = performance.now();
    const ends = await Promise.all([left.finished, right.finished]);
    assert.deepEqual(ends.map(({ code }) => code), [0, 0], ends.map(({ stderr }) => stderr).join("\n"));
    return performance.now() - began;
  }));
  return Math.max(...lengths);
}

interface Round {
  readonly victim: "source" | "destination";
  readonly type: number;
  /** 0..1 between the first sign of life and the end of an undisturbed hand-over. */
  readonly moment: number;
  readonly sourceFirst: boolean;
}

async function round(
  number: number,
  { victim, type, moment, sourceFirst }: Round,
  lengthMs: number,
): Promise<"source" | "destination"> {
  const what = JSON.stringify({ seed: SEED, number, victim, type, moment, sourceFirst });
  const { C } = await setScene(number, type);
  const rival = await Rival.at(lun(number), type);
  const env = (side: string): Record<string, string> => stateOf(number, side);
  try {
    const { left, right } = handOver(number, "5s");
    const target = victim === "source" ? left : right;
    await signOfLife(left, right);
    await new Promise((resolve) => setTimeout(resolve, moment * lengthMs));
    target.kill("SIGKILL"); // a moment may come after the end; that hand-over was not disturbed, and counts as moved
    await Promise.all([left.finished, right.finished]);
    // Twice: a destination that has to wait for the source (exit 5) closes its journal the second time.
    for (const side of [...ORDER[sourceFirst ? "sourceFirst" : "destinationFirst"], "destination", "source"] as const) {
      if (!hasOpenJournal(env(side))) continue;
      const { code, stderr } = await recover(env(side));
      assert([0, 1, 5].includes(code), `${what}: recover of the ${side}: ${code}: ${stderr}`);
    }
    for (const side of ["source", "destination"]) assert(!hasOpenJournal(env(side)), `${what}: a journal stays open`);
  } finally {
    await rival.stop();
  }
  assert.equal(rival.won, 0, `${what}: the third nexus reserved the LUN ${rival.won} times in ${rival.tries} tries`);
  assert(rival.tries > 10, `${what}: the third nexus tried only ${rival.tries} times`);
  const { registrants, reservation } = await readState(C);
  const seen = registrants.map((r) => `${r.initiatorPort.slice(-4)} ${r.key.toString(16)} ${r.holder}`).sort();
  const everybody = type === 8;
  const at = seen.some((r) => r.startsWith("aaaa")) ? "source" : "destination";
  const name = at === "source" ? "aaaa" : "bbbb";
  assert.deepEqual(seen, [`${name} ${K.toString(16)} true`, `cccc ${C_KEY.toString(16)} ${everybody}`], what);
  assert.equal(reservation?.type, type, what);
  return at;
}

const ORDER = {
  sourceFirst: ["source", "destination"],
  destinationFirst: ["destination", "source"],
} as const;

/** Without one, `recover` says that there is nothing to do; under emulation it takes two seconds to say it. */
function hasOpenJournal(env: Record<string, string>): boolean {
  const directory = `${env.PRMIG_STATE_DIR}/journal`;
  try {
    return [...Deno.readDirSync(directory)].some(({ name }) => /(source|destination)\.json$/.test(name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The first line either side has said, or a moment in which neither said anything. */
async function signOfLife(left: Running, right: Running): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if (left.printed().stdout !== "" || right.printed().stderr !== "") return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function recover(env: Record<string, string>): Promise<Finished> {
  return run(["env", ...assignments(env), ...prmigCommand(["recover", "--timeout", "5s"])]);
}

function assignments(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

/** The third nexus, registered, that tries to reserve the LUN with another type, again and again. */
class Rival {
  won = 0;
  tries = 0;
  #stopped = false;
  #work: Promise<void>;

  private constructor(readonly nexus: Awaited<ReturnType<typeof openSgDevice>>, readonly type: number) {
    this.#work = this.#try();
  }

  /** With a type other than the LUN's, since for an all-registrants one RESERVE of the same type is answered GOOD. */
  static async at({ nexuses }: LabLun, type: number): Promise<Rival> {
    return new Rival(await openSgDevice(nexuses.C.sg, { writable: true }), type === 3 ? 1 : 3);
  }

  async #try(): Promise<void> {
    while (!this.#stopped) {
      const { status } = await prOut(this.nexus, { action: "reserve", rk: C_KEY, type: this.type });
      this.tries++;
      if (status === 0) this.won++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
    this.nexus.close();
  }
}
