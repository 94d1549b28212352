/**
 * `deno task test:matrix`: every gate, every failure, every type, on a guest in the lab; about a boot and half a minute a
 * run. The result is kept in docs/migrate-matrix.md (and .ndjson); what is not run this time keeps its last result.
 *
 *   deno task test:matrix                                  everything
 *   deno task test:matrix -- --types=5,1                   some types
 *   deno task test:matrix -- --types=5 --only=switchover   runs with this word in their name
 *   deno task test:matrix -- --missing                     runs that did not go well the last time, or were not run
 *   deno task test:matrix -- --seconds=1200                no new run is begun later than that, in each type
 *
 * @module
 */
import { exists } from "../host/cache.ts";
import { output } from "../host/command.ts";
import { FlagError } from "../host/flags.ts";
import { bootLab, endAs } from "../host/lab.ts";
import { TYPES } from "./failures.ts";
import { type Line, merge, page } from "./report.ts";

const REPOSITORY = new URL("../../../", import.meta.url).pathname.replace(/\/$/, "");
const PAGE = `${REPOSITORY}/docs/migrate-matrix.md`;
const KEPT = `${REPOSITORY}/docs/migrate-matrix.ndjson`;
const SECONDS_A_TYPE = 5400;
const INTERRUPTED = 130;
const INSIDE = [
  ...[
    "run",
    "-A",
    "--no-check",
    "--cached-only",
    "--no-config",
    "--import-map=deno.json",
    "--lock=deno.lock",
    "--frozen",
  ],
  "tests/lab/matrix/inside.ts",
];

await endAs(async () => {
  const { types, seconds, only, missing } = choices(Deno.args.filter((word) => word !== "--"));
  let worst = 0;
  for (const type of types) {
    const out = await Deno.makeTempDir({ prefix: "prmig-matrix-" });
    const { code } = await bootLab({
      ...{ timeoutSeconds: seconds + 600, memoryMiB: 4096, accelerator: "um", out, interactive: false },
      command: [
        Deno.execPath(),
        ...INSIDE,
        String(type),
        String(seconds),
        only,
        ...missing && await exists(KEPT) ? [KEPT] : [],
      ],
    });
    worst ||= code;
    await keep(`${out}/matrix.ndjson`);
    if (code === INTERRUPTED) return code;
  }
  return worst;
});

/** Adds what was run to what is kept, and writes the page. */
async function keep(path: string): Promise<void> {
  const commit = (await output(["git", "describe", "--always", "--dirty"], { cwd: REPOSITORY })).trim();
  const at = new Date().toISOString().slice(0, 10);
  const fresh = (await lines(path)).map((line) => ({ ...line, at, commit }));
  const old = await lines(KEPT);
  // What was not run for lack of time does not replace an older result.
  const all = merge(old, fresh.filter(({ failure }) => !failure?.startsWith("not run")));
  await Deno.writeTextFile(KEPT, all.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await Deno.writeTextFile(PAGE, page(all));
}

async function lines(path: string): Promise<Line[]> {
  if (!await exists(path)) return [];
  const text = await Deno.readTextFile(path);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Line);
}

function choices(
  words: readonly string[],
): { types: readonly number[]; seconds: number; only: string; missing: boolean } {
  let [types, seconds, only, missing] = [TYPES, SECONDS_A_TYPE, "", false];
  for (const word of words) {
    const [, name, value] = /^--(types|seconds|only)=(.+)$/.exec(word) ?? [];
    if (word === "--missing") missing = true;
    else if (name === "types") types = value!.split(",").map(Number);
    else if (name === "seconds") seconds = Number(value);
    else if (name === "only") only = value!;
    else throw new FlagError(`${word}: --types=, --seconds=, --only= or --missing`);
  }
  if (!types.every((type) => TYPES.includes(type)) || !(seconds > 0)) throw new FlagError("no such type, or no time");
  return { types, seconds, only, missing };
}
