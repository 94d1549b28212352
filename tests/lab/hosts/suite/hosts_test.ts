/**
 * A reservation moves between two real hosts over ssh, with the LUN on a third machine; then the power or the network of
 * one of them is cut in the middle, and `prmig recover` has to leave exactly one holder.
 *
 *     PRMIG_CUTS   how many moments of the 36 there are (3: power of either host, network of one)
 *     PRMIG_SEED   other moments; the seed is printed
 */
import assert from "node:assert/strict";
import { drawMoments, type Moment, victimOf } from "../cuts.ts";
import { clearLun, cutAt, type HandOver, lunState, setScene, startHandOver, theHolder, wordsOf } from "../scene.ts";
import { type SideName, ThreeHosts } from "../three.ts";

const SEED = Number(Deno.env.get("PRMIG_SEED") ?? 8);
const CUTS = Number(Deno.env.get("PRMIG_CUTS") ?? 3);
const TYPES = [5, 8, 1, 6];
const TIMEOUT = "10s";
const RECOVER_ROUNDS = 4;
const SIDES: readonly SideName[] = ["src", "dst"];
/** The machines are in use from one step to the next. */
const ACROSS_STEPS = { sanitizeOps: false, sanitizeResources: false } as const;

Deno.test({
  name: "two hosts and their storage",
  ...ACROSS_STEPS,
  fn: async (t) => {
    const began = Date.now();
    const note = (line: string): void => console.log(`${Math.round((Date.now() - began) / 1000)} s: ${line}`);
    await using three = await ThreeHosts.start(note);
    const step = (name: string, fn: () => Promise<void>): Promise<boolean> =>
      t.step({ name, fn: () => fn().finally(() => note("done")), ...ACROSS_STEPS });

    await step("prmig send | ssh dst prmig recv moves the reservation, and back", async () => {
      await setScene(three, "src", 5);
      await undisturbed(three, "src");
      assert.equal(await theHolder(three, 5, "moved"), "dst");
      await undisturbed(three, "dst");
      assert.equal(await theHolder(three, 5, "moved back"), "src");
    });

    await step("prmig send --to 'ssh dst prmig recv' talks both ways", async () => {
      await setScene(three, "src", 8);
      const { host, facts } = three.side("src");
      const { code, stderr } = await host.run(["prmig", "send", facts.sd, "--to", "ssh dst prmig recv"]);
      assert.equal(code, 0, stderr);
      assert.equal(await theHolder(three, 8, "moved"), "dst");
    });

    await step("prmig qualify DEV ssh:dst:DEV: fit with limits, and the LUN is clean", async () => {
      await clearLun(three);
      const [here, there] = [three.side("src").facts.sg, three.side("dst").facts.sg];
      const { code, stdout, stderr } = await three.hosts.src.run([
        "prmig",
        "qualify",
        here,
        `ssh:dst:${there}`,
        "--json",
      ]);
      assert.equal(code, 1, stderr); // fit with limits
      const { verdict, obstacles, seconds } = JSON.parse(stdout);
      assert.deepEqual([verdict, obstacles], ["fit with limits", []]);
      note(`qualify over ssh: ${seconds.toFixed(1)} s`);
      assert.deepEqual((await lunState(three)).registrants, []);
    });

    note(`seed ${SEED}, ${CUTS} cuts`);
    for (const [i, moment] of drawMoments(SEED, CUTS).entries()) {
      const { cut, step: at, when } = moment;
      const type = TYPES[i % TYPES.length]!;
      await step(`${cut} cut at ${at}, ${when} (type ${type}): recover leaves one holder`, async () => {
        await setScene(three, "src", type);
        await round(three, moment, type, note);
      });
    }
  },
});

async function undisturbed(three: ThreeHosts, from: SideName): Promise<void> {
  const handOver = await startHandOver(three, from, "60s");
  await handOver.pipeline.finished;
  assert.deepEqual([await handOver.ended("src"), await handOver.ended("dst")], [0, 0], await handOver.told());
}

async function round(three: ThreeHosts, moment: Moment, type: number, note: (line: string) => void): Promise<void> {
  const victim = victimOf(moment.cut);
  const survivor: SideName = victim === "src" ? "dst" : "src";
  const power = moment.cut.startsWith("power");
  const cut = cutAt(three, moment);
  const handOver = await startHandOver(three, "src", TIMEOUT);
  await Promise.race([cut, tooSoon(handOver)]);
  if (power) await three.hosts[victim].powerCut();
  note("cut");
  await handOver.ended(survivor);
  if (!power) await handOver.ended(victim);
  note(
    `ended: ${oncePerLine(await handOver.told()).replaceAll("\n", "\n    ")}\n    ${
      wordsOf(await lunState(three)).join(", ")
    }`,
  );
  if (power) {
    const alone = await recover(three, survivor);
    note(`recover on ${survivor}, alone: ${alone}; ${wordsOf(await lunState(three)).join(", ")}`);
    assert.notEqual((await lunState(three)).reservation, null, "nobody holds the LUN");
  }
  three.network.heal(victim);
  if (power) await three.powerOnAgain(victim);
  note("healed");
  await recoverBoth(three, note);
  const holder = await theHolder(three, type, await handOver.told());
  note(`${holder} holds`);
}

/** A side that waits for its LUN says so again and again. */
function oncePerLine(text: string): string {
  return text.split("\n").filter((line, i, lines) => line !== lines[i - 1]).join("\n");
}

async function tooSoon(handOver: HandOver): Promise<never> {
  const { code } = await handOver.pipeline.finished;
  throw new Error(`the hand-over ended (${code}) before the moment came: ${await handOver.told()}`);
}

/** `prmig recover` on one host; its exit code, and what it said. */
async function recover(three: ThreeHosts, name: SideName): Promise<string> {
  const { code, stdout, stderr } = await three.hosts[name].run(["prmig", "recover", "--timeout", TIMEOUT]);
  assert([0, 1, 5].includes(code), `recover on ${name}: ${code}: ${stderr}`);
  return `${code}: ${stdout}${stderr}`.trim();
}

/** On both, again where one has to wait for the other, until no journal is open. */
async function recoverBoth(three: ThreeHosts, note: (line: string) => void): Promise<void> {
  for (let i = 0; i < RECOVER_ROUNDS; i++) {
    const open: SideName[] = [];
    for (const name of SIDES) if (await hasOpenJournal(three, name)) open.push(name);
    if (open.length === 0) return;
    for (const name of open) note(`recover on ${name}: ${await recover(three, name)}`);
  }
  assert.fail(`a journal stays open; the LUN: ${wordsOf(await lunState(three)).join(", ")}`);
}

async function hasOpenJournal(three: ThreeHosts, name: SideName): Promise<boolean> {
  const { stdout } = await three.hosts[name].shell(
    "ls /var/lib/prmig/journal/*source.json /var/lib/prmig/journal/*destination.json",
  );
  return stdout !== "";
}
