/**
 * Hand-overs between the two hosts, seen from the storage.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Finished, Running } from "../run.ts";
import { type LunState, parseFullStatus, parseReservation } from "../witness.ts";
import { type Moment, stepOf, victimOf } from "./cuts.ts";
import { StepReader } from "./steps.ts";
import { ADDRESSES, type SideName, type ThreeHosts } from "./three.ts";

/** The key that moves, and the third initiator's. */
export const K = 0x123abcn, THIRD = 0xccccn;

const POLL_MS = 200;
const END_MS = 180_000;
const CUT_MS = 120_000;

/** sg_persist in a shell, again after a unit attention. */
const PERSIST = "persist() { sg_persist -n --out $* || sg_persist -n --out $*; };";

/** Nobody is registered any more. */
export async function clearLun(three: ThreeHosts): Promise<void> {
  const { sg } = three.target.third;
  const key = `0x${THIRD.toString(16)}`;
  const lines = [`persist --register-ignore --param-sark=${key} ${sg}`, `persist --clear --param-rk=${key} ${sg}`];
  await done(three.hosts.target.shell(`${PERSIST} ${lines.join(" && ")}`));
}

/** The LUN: `holder` registered under K and holding, the third registered under a key of its own; nobody else. */
export async function setScene(three: ThreeHosts, holder: SideName, type: number): Promise<void> {
  await clearLun(three);
  const third = `persist --register --param-sark=0x${THIRD.toString(16)} ${three.target.third.sg}`;
  await done(three.hosts.target.shell(`${PERSIST} ${third}`));
  const { host, facts } = three.side(holder);
  const key = `0x${K.toString(16)}`;
  const own = [
    `persist --register --param-sark=${key} ${facts.sg}`,
    `persist --reserve --param-rk=${key} --prout-type=${type} ${facts.sg}`,
  ];
  await done(host.shell(`${PERSIST} ${own.join(" && ")}`));
}

async function done(program: Promise<Finished>): Promise<string> {
  const { code, stdout, stderr } = await program;
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The LUN through the third initiator, by sg_persist. */
export async function lunState(three: ThreeHosts): Promise<LunState> {
  const { sg } = three.target.third;
  const { target } = three.hosts;
  await target.shell(`sg_turs --number=3 ${sg}`); // what waits for the third
  const full = parseFullStatus(await done(target.shell(`sg_persist -n --in --read-full-status ${sg}`)));
  const reservation = parseReservation(await done(target.shell(`sg_persist -n --in --read-reservation ${sg}`)));
  return { ...full, reservation };
}

/** Who is registered and holds, in words: `src 123abc holds`. */
export function wordsOf({ registrants }: LunState): string[] {
  return registrants.map(({ initiatorPort, key, holder }) =>
    `${initiatorPort.replace(/^.*:/, "")} ${key.toString(16)}${holder ? " holds" : ""}`
  ).sort();
}

/** Asserts that one of the hosts holds, alone but for the third, and says which. */
export async function theHolder(three: ThreeHosts, type: number, what: string): Promise<SideName> {
  const state = await lunState(three);
  const words = wordsOf(state);
  const third = `third ${THIRD.toString(16)}${type > 6 ? " holds" : ""}`;
  const holds = (name: SideName): string[] => [`${name} ${K.toString(16)} holds`, third].sort();
  const holder: SideName = words.some((each) => each.startsWith("src")) ? "src" : "dst";
  assert.deepEqual({ words, type: state.reservation?.type }, { words: holds(holder), type }, what);
  return holder;
}

/** A hand-over under way. */
export interface HandOver {
  readonly pipeline: Running;
  /** What each side said and its exit code, as far as it has come to that and has power. */
  told(): Promise<string>;
  /** Exit code of a side, when it has ended. */
  ended(name: SideName): Promise<number>;
}

/** Starts `prmig send | ssh prmig recv` from one host to the other. */
export async function startHandOver(three: ThreeHosts, from: SideName, timeout: string): Promise<HandOver> {
  const to: SideName = from === "src" ? "dst" : "src";
  const { host, facts } = three.side(from);
  await Promise.all([from, to].map((each) => three.hosts[each].shell("rm -f /run/*.code /run/*.said")));
  const send = `{ prmig send ${facts.sd} --timeout ${timeout} 2>/run/send.said; echo $? >/run/send.code; }`;
  const recv = `prmig recv --timeout ${timeout} 2>/run/recv.said; echo $? >/run/recv.code`;
  const pipeline = host.start(["sh", "-c", `${send} | ssh ${to} '${recv}'`]);
  const nameOf = (name: SideName): string => name === from ? "send" : "recv";
  const read = async (name: SideName, what: "code" | "said"): Promise<string> =>
    (await three.hosts[name].shell(`cat /run/${nameOf(name)}.${what}`)).stdout.trim();
  return {
    pipeline,
    ended: async (name) => {
      for (const until = Date.now() + END_MS; Date.now() < until;) {
        const code = await read(name, "code");
        if (code !== "") return Number(code);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      throw new Error(`${nameOf(name)} on ${name} goes on and on: ${await read(name, "said")}`);
    },
    told: async () => {
      const parts: string[] = [];
      for (const name of [from, to]) {
        if (!three.hosts[name].isOn) parts.push(`${name}: no power`);
        else parts.push(`${nameOf(name)} on ${name}: ${await read(name, "code")}\n${await read(name, "said")}`);
      }
      return parts.join("\n");
    },
  };
}

/** Resolves when the moment has come and, in that very frame, the line of the victim is cut; its power is up to the caller. */
export function cutAt(three: ThreeHosts, { cut, step, when }: Moment): Promise<void> {
  const reader = new StepReader();
  const cutDone = Promise.withResolvers<void>();
  const timer = setTimeout(() => cutDone.reject(new Error(`${step} was never seen on the wire`)), CUT_MS);
  const scene = { key: K, src: ADDRESSES.src, dst: ADDRESSES.dst };
  let over = false;
  const strike = (): void => {
    over = true;
    three.network.cut(victimOf(cut));
    cutDone.resolve();
  };
  three.network.tap = (_, frame) => {
    if (over) return true;
    const seen = reader.read(frame).find((each) =>
      stepOf(each, scene) === step && each.kind === (when === "notSent" ? "sent" : "answered")
    );
    if (seen === undefined) return true;
    if (when !== "answered") strike(); // the command of notSent and the answer of answerLost do not arrive any more
    else setTimeout(strike, 0); // the answer does
    return when === "answered";
  };
  return cutDone.promise.finally(() => {
    clearTimeout(timer);
    three.network.tap = () => true;
  });
}
