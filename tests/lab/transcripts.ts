/**
 * Transcripts of the built file on the lab's hosts, held against tests/golden/lab/.
 *
 * @module
 */
import { assertGolden, goldenUpdating } from "../support/golden.ts";
import { type Finished, lun } from "./support.ts";

/** What differs from run to run, and what stands in its place. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [
    /\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b(?<!a0a0a0a0-0000-4000-8000-000000000000)/g,
    "<id>",
  ],
  [/0x70726d67[0-9a-f]{8}\b/g, "0x70726d67<token>"],
  [/\b\d\d:\d\d:\d\d\.\d{3}\b/g, "<time>"],
  [/^\[ *\d+\.\d+\] /gm, "[<time>] "],
  [/\bnaa\.3[0-9a-f]{15}\b/g, "naa.<simulated>"],
  [/^( {2}serial +)[0-9a-f]{16}$/gm, "$1<simulated>"],
  [/\btag#\d+/g, "tag#<n>"],
  [/\bcmd_age=\d+s/g, "cmd_age=<n>s"],
];

/** Names of LUN 0's nodes on the first day, in the order of its nexuses; after a reset they may be others. */
const FIRST_DAY = ["sda", "sg0", "sdb", "sg1", "sdc", "sg2"];

function steady(text: string): string {
  const { A, B, C } = lun().nexuses;
  const today = [A, B, C].flatMap(({ sd, sg }) => [sd, sg]).map((path) => path.slice("/dev/".length));
  return text.replaceAll(/\bs[dg][a-z0-9]+\b/g, (name) => FIRST_DAY[today.indexOf(name)] ?? name);
}

/** A line that was typed, and all that came of it. */
export function typed(line: string, { code, stdout, stderr }: Finished, elsewhere = ""): string {
  const parts = [`$ ${line}\n`, stdout];
  if (stderr !== "") parts.push(`--- stderr\n${stderr}`);
  if (elsewhere !== "") parts.push(`--- stderr of dst\n${elsewhere}`);
  return VARYING.reduce((text, [pattern, word]) => text.replaceAll(pattern, word), steady(parts.join(""))) +
    `--- exit ${code}\n\n`;
}

/** Compares with tests/golden/lab/NAME; with PRMIG_GOLDEN=update, leaves it where run_suite.ts takes it from. */
export function assertTranscript(name: string, text: string): void {
  if (!goldenUpdating) return assertGolden(`lab/${name}`, text);
  const directory = `${Deno.env.get("PRMIG_LAB_OUT")}/golden`;
  Deno.mkdirSync(directory, { recursive: true });
  Deno.writeTextFileSync(`${directory}/${name}`, text);
}
