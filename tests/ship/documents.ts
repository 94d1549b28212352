/**
 * Shell blocks of the documents, and a world in which they run: the built file on a simulated LUN.
 *
 *     <!-- run -->                 run it, on a LUN that this host holds; it has to end with 0
 *     <!-- run on: fenced peer --> run it, on a LUN in that state
 *     <!-- run until stopped -->   it goes on until somebody presses Ctrl-C: do so when it has said something
 *     <!-- run in: repository -->  run it as it stands, in the repository
 *     <!-- not run: REASON -->     why not
 *     ```sh
 *
 * The words stay as an operator types them: programs of the same names take /dev/sdb for the simulated LUN, and what
 * `ssh dst` runs sees it through the other host's nexus.
 *
 * @module
 */
import { prOut, type PrOutRequest } from "../../lib/pr/commands.ts";
import { createSimLun, openSimNexus } from "../../lib/sim/open.ts";

/** A shell block, and what is to be done with it. */
export interface ShellBlock {
  readonly file: string;
  readonly line: number;
  readonly script: string;
  /** The mark above it, without the comment's signs; null when there is none. */
  readonly mark: string | null;
}

/** Every fenced shell block of a text. */
export function shellBlocks(file: string, markdown: string): ShellBlock[] {
  const lines = markdown.split("\n");
  const blocks: ShellBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!/^```(sh|shell|bash)\s*$/.test(lines[at]!)) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: a block without an end`);
    const mark = /^<!-- (.+) -->$/.exec(lines[at - 1] ?? "")?.[1] ?? null;
    blocks.push({ file, line: at + 1, script: lines.slice(at + 1, end).join("\n"), mark });
    at = end;
  }
  return blocks;
}

/** Words that begin a line of shell. */
const COMMAND = /^(?: {4}|\t)(?:\$ |# )?(?:prmig|npx|npm|deno|apt|dnf|systemctl|ssh|git|virsh|semanage|dpkg|man)\b/;

/** Lines, as `file:line`, that show shell in a way that no test sees: indented, outside of a fence. */
export function unfencedCommands(file: string, markdown: string): string[] {
  let fenced = false;
  return markdown.split("\n").flatMap((line, at) => {
    if (line.startsWith("```")) fenced = !fenced;
    return !fenced && COMMAND.test(line) ? [`${file}:${at + 1}`] : [];
  });
}

const OURS = 0x123abcn, PEER = 0x456defn, TYPE = 5;

type Step = readonly [nexus: string, request: PrOutRequest];
const register = (nexus: string, sark: bigint): Step => [nexus, { action: "register", rk: 0n, sark, aptpl: true }];

/** States a block can be run on; `src` is the host that runs it, `dst` the one behind ssh. */
const STATES: Readonly<Record<string, readonly Step[]>> = {
  "held": [register("src", OURS), register("peer", PEER), ["src", { action: "reserve", rk: OURS, type: TYPE }]],
  "fenced peer": [register("src", OURS), register("peer", PEER), ["peer", { action: "reserve", rk: PEER, type: TYPE }]],
};

/** Makes the LUN `lun.json` in a directory, in a state. Throws for a state there is none of. */
export async function prepareLun(directory: string, state: string): Promise<void> {
  const steps = STATES[state];
  if (steps === undefined) throw new Error(`there is no state "${state}", only ${Object.keys(STATES).join(", ")}`);
  const file = `${directory}/lun.json`;
  await createSimLun(file);
  for (const [name, request] of steps) {
    const nexus = await openSimNexus(`sim:${file}?nexus=${name}`);
    const { status } = await prOut(nexus, request);
    if (status !== 0) throw new Error(`${name} ${request.action} ended with ${status}`);
    nexus.close();
  }
}

/** Writes the programs that the blocks call: `prmig`, `ssh`, `dmesg`. Gives their directory, for PATH. */
export async function prepareShims(directory: string, binary: string): Promise<string> {
  const bin = `${directory}/bin`;
  await Deno.mkdir(bin);
  const shims = {
    // recv finds LUNs among disks; a simulated one has to be named.
    prmig: `n=$#; recv=; device=
for word; do
  case $word in
    recv) recv=1 ;;
    /dev/*) device=1; word="sim:${directory}/lun.json?nexus=\${NEXUS:-src}" ;;
  esac
  set -- "$@" "$word"
done
shift "$n"
[ -z "$recv" ] || [ -n "$device" ] || set -- "$@" "sim:${directory}/lun.json?nexus=\${NEXUS:-src}"
exec ${binary} "$@"`,
    ssh: `shift; NEXUS=dst exec "$@"`,
    dmesg: `echo 'sd 1:0:1:0: reservation conflict'`,
  };
  for (const [name, script] of Object.entries(shims)) {
    await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\n${script}\n`);
    await Deno.chmod(`${bin}/${name}`, 0o755);
  }
  return bin;
}
