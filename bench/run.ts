/**
 * `deno task bench`: every figure in one run, one table, kept in bench/results/.
 *
 *     deno task bench                        all of it, about half an hour
 *     deno task bench --only=sg-io,snoop     some figures
 *     deno task bench --machine              only what needs no lab
 *     deno task bench --small                each thing once, to see that it works; keeps nothing
 *     deno task bench --out=DIRECTORY        keep it elsewhere
 *
 * Kept are VERSION-DATE.txt (the table), VERSION-DATE.json, and one picture a curve. No figure that misses its target
 * makes this fail, and none that became worse than in the last run that is kept: the table says so.
 *
 * @module
 */
import { LabDied } from "../tests/lab/host/command.ts";
import { FlagError } from "../tests/lab/host/flags.ts";
import { bootLab, endAs } from "../tests/lab/host/lab.ts";
import { build, writeExecutable } from "../tools/build/build.ts";
import { comparison, type Kept, latest } from "./compare.ts";
import type { Findings } from "./figure.ts";
import { FIGURES, measureAll } from "./figures.ts";
import { type Machine, machineText, thisMachine } from "./machine.ts";
import { plot } from "./plot.ts";
import { tableText } from "./table.ts";

const RESULTS = new URL("results/", import.meta.url).pathname;
/** What each lab may take: with the part that needs none, a run ends within 40 minutes. */
const LAB_SECONDS = 1200;
/** What runs the kernel in each. */
const LABS = { lab: "um", traced: "auto" } as const;
type LabPlace = keyof typeof LABS;

interface Options {
  readonly small: boolean;
  readonly lab: boolean;
  readonly only: readonly string[] | null;
  readonly out: string;
}

function parse(words: readonly string[]): Options {
  const value = (name: string): string | undefined =>
    words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const stranger = words.find((word) => !/^--(small|machine|only=.+|out=.+)$/.test(word));
  if (stranger !== undefined) throw new FlagError(`${stranger}: --small, --machine, --only=NAME,..., --out=DIRECTORY`);
  const only = value("only")?.split(",") ?? null;
  const unknown = only?.find((name) => !FIGURES.some((each) => each.name === name));
  if (unknown !== undefined) {
    throw new FlagError(`there is no figure ${unknown}; there are ${FIGURES.map(({ name }) => name).join(", ")}`);
  }
  return {
    small: words.includes("--small"),
    lab: !words.includes("--machine"),
    only,
    out: value("out") ?? RESULTS,
  };
}

type LabFindings = { readonly machine: Machine | null; readonly failed: readonly string[] } & Findings;

/** Measures in a lab; what it is, and what was found. */
async function inLab(place: LabPlace, names: readonly string[], small: boolean): Promise<LabFindings> {
  if (names.length === 0) return { machine: null, failed: [], rows: [] };
  const words = [...(small ? ["--small"] : []), ...names];
  const out = await Deno.makeTempDir({ prefix: "prmig-bench-" });
  try {
    // What users run; the lab has no bundler.
    await writeExecutable(`${out}/prmig`, await build({ arch: Deno.build.arch, runtime: null }));
    Deno.env.set("PRMIG_LAB_BINARY", "/lab-out/prmig");
    const { code } = await bootLab({
      ...{ timeoutSeconds: LAB_SECONDS, memoryMiB: 3072, accelerator: LABS[place], out, interactive: false },
      command: [Deno.execPath(), "run", "-A", "--no-check", "--cached-only", "bench/inside.ts", ...words],
    });
    if (code !== 0) console.error(`bench: measuring in the lab ended with ${code}`);
  } catch (error) {
    if (!(error instanceof LabDied)) throw error;
    console.error(`bench: the lab: ${error.message}`);
  }
  const { measured, failed, ...found } = JSON.parse(await Deno.readTextFile(`${out}/bench.json`));
  return { ...found, failed: [...failed, ...names.filter((name) => !measured.includes(name))] };
}

function isInstalled(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${program}`).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
      throw error;
    }
  });
}

/** The last run that is kept, if any. */
async function before(): Promise<Kept | null> {
  const names = [...Deno.readDirSync(RESULTS)].map(({ name }) => name).filter((name) => name.endsWith(".json"));
  return latest(await Promise.all(names.map(async (name) => JSON.parse(await Deno.readTextFile(`${RESULTS}${name}`)))));
}

async function keep(out: string, text: string, found: Findings & Record<string, unknown>): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  const name = `${out.replace(/\/$/, "")}/${thisMachine().prmig}-${new Date().toISOString().slice(0, 10)}`;
  await Deno.writeTextFile(`${name}.txt`, text);
  await Deno.writeTextFile(`${name}.json`, `${JSON.stringify(found, null, 1)}\n`);
  for (const curve of found.curves ?? []) {
    const file = curve.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    await Deno.writeTextFile(`${name}-${file}.svg`, plot(curve));
  }
  console.error(`bench: kept as ${name}.txt, .json and pictures`);
}

await endAs(async () => {
  const options = parse(Deno.args);
  const { small } = options;
  const wanted = FIGURES.filter(({ name, where }) =>
    (options.only === null || options.only.includes(name)) && (options.lab || where === "machine")
  );
  const chosen = wanted.filter((figure) => {
    const missing = (figure.needs ?? []).filter((program) => !isInstalled(program));
    if (missing.length > 0) console.error(`bench: ${figure.name} is LEFT OUT: ${missing.join(", ")} is not installed`);
    return missing.length === 0;
  });
  const machine = thisMachine();
  const here = await measureAll(
    chosen.filter(({ where }) => where === "machine"),
    { small },
    (line) => console.error(`bench: ${line}`),
  );
  const there = (place: LabPlace): Promise<LabFindings> =>
    inLab(place, chosen.filter(({ where }) => where === place).map(({ name }) => name), small);
  // One after the other: two labs at once would measure each other.
  const [lab, traced] = [await there("lab"), await there("traced")];
  const found = {
    date: new Date().toISOString(),
    machine,
    lab: lab.machine,
    traced: traced.machine,
    rows: [...here.rows, ...lab.rows, ...traced.rows],
    curves: [...(here.curves ?? []), ...(lab.curves ?? []), ...(traced.curves ?? [])],
  };
  const places = Object.entries({ machine, lab: lab.machine, "traced lab": traced.machine })
    .flatMap(([name, each]) => each ? [`${name}: ${machineText(each)}`] : []);
  const compared = small ? "" : `\n${comparison(await before(), found)}`;
  const text = `prmig ${machine.prmig}, ${found.date}\n${places.join("\n")}\n\n${tableText(found.rows)}${compared}`;
  console.log(text);
  const failed = [...here.failed, ...lab.failed, ...traced.failed];
  if (failed.length > 0) console.log(`FAILED, and not in the table: ${failed.join(", ")}`);
  if (!small) await keep(options.out, text, found);
  return failed.length > 0 ? 1 : 0;
});
