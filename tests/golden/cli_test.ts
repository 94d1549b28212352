import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { TOPICS } from "../../lib/cli/topics.ts";
import { type PrOutRequest, prOut } from "../../lib/pr/commands.ts";
import type { PrType } from "../../lib/pr/types.ts";
import { createSimLun, openSimNexus } from "../../lib/sim/open.ts";
import { PROFILES } from "../../lib/pr/sim/profile.ts";
import { prmig, type Ran } from "../support/cli_world.ts";
import { assertGolden, goldenNames, transcript } from "../support/golden.ts";

const used = new Set<string>();

function golden(name: string, text: string): void {
  used.add(name);
  assertGolden(name, text);
}

/** Runs each line as a command, in a directory of its own that the transcript does not show. */
async function goldenRuns(name: string, lines: readonly string[], directory = ""): Promise<Ran[]> {
  const runs: Ran[] = [];
  let text = "";
  for (const line of lines) {
    const words = line.split(" ").filter((word) => word !== "");
    const ran = await prmig(words.map((word) => word.replace(/^sim:/, `sim:${directory}`)));
    runs.push(ran);
    text += transcript(words, ran) + "\n";
  }
  golden(name, directory === "" ? text : text.replaceAll(directory, ""));
  return runs;
}

Deno.test("golden: help of the program and of every command and topic", async () => {
  await goldenRuns("help.txt", ["--help"]);
  for (const { name } of COMMANDS) await goldenRuns(`help_${name}.txt`, [`${name} --help`]);
  await goldenRuns("topics.txt", Object.keys(TOPICS).map((topic) => `help ${topic}`));
});

Deno.test("golden: usage errors", async () => {
  const runs = await goldenRuns("usage.txt", [
    "",
    "dmup /dev/sdb",
    "dump",
    "dump /dev/sdb --all",
    "dump --tiemout 3s /dev/sdb",
    "dump --timeout 3 /dev/sdb",
    "dump --timeout",
    "dump nonsense",
    "dump http://example.net/lun",
    "dump sim:lun.json",
    "dump sim:lun.json?nexus=A&colour=red",
    "preempt",
    "preempt /dev/sdb --key 0x123abc",
    "preempt /dev/sdb --key 0x123abg --type 5",
    "preempt /dev/sdb --key 0x123abc --type 2",
    "dump --tiemout 3s /dev/sdb --json",
  ]);
  for (const { code, stdout } of runs) assert.deepEqual([code, stdout], [2, ""]);
});

type Step = readonly [nexus: string, request: PrOutRequest];
const register = (nexus: string, key: bigint, aptpl = false): Step => [
  nexus,
  { action: "register", rk: 0n, sark: key, aptpl },
];
const reserve = (nexus: string, key: bigint, type: PrType): Step => [nexus, { action: "reserve", rk: key, type }];

/** Makes a simulated LUN `lun.json` in a new directory, brings it into a state, and hands the directory over. */
async function withLun(steps: readonly Step[], run: (directory: string) => Promise<void>, profile = "spc4"): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-golden-" }) + "/";
  try {
    const identity = { serial: "0123456789abcdef", naa: "3123456789abcdef" };
    await createSimLun(`${directory}lun.json`, { identity, profile: PROFILES[profile]! });
    for (const [name, request] of steps) {
      const nexus = await openSimNexus(`sim:${directory}lun.json?nexus=${name}`);
      const reply = await prOut(nexus, request);
      assert.equal(reply.status, 0, `${name} ${request.action}`);
      nexus.close();
    }
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const A = "sim:lun.json?nexus=node1";
const CLUSTER = [register("node1", 0x123abcn), register("node2", 0x123abdn), register("quorum", 0x9n)];
const LASTING = CLUSTER.map(([nexus, request]): Step => [nexus, { ...request, aptpl: true }]);

const SCENES: readonly (readonly [name: string, steps: readonly Step[], lines: readonly string[], profile?: string])[] = [
  ["dump_empty", [], [`dump ${A}`, `dump ${A} --json`]],
  ["dump_type5", [...CLUSTER, reserve("node2", 0x123abdn, 5)], [`dump ${A}`, `dump ${A} --json`, `dump ${A} -v`]],
  ["dump_type8", [...LASTING, reserve("node1", 0x123abcn, 8)], [`dump ${A}`, `dump ${A} --json`]],
  ["dump_stranger", [...CLUSTER, reserve("node1", 0x123abcn, 1)], ["dump sim:lun.json?nexus=stranger"]],
  // Without READ FULL STATUS nobody has a name, and two with the holder's key look alike.
  [
    "dump_no_full_status",
    [register("node1", 0x123abcn), register("node2", 0x123abcn), register("node3", 0x7n), reserve("node2", 0x123abcn, 3)],
    [`dump ${A}`, `dump ${A} --json`],
    "tgt",
  ],
  [
    "preempt",
    [...CLUSTER, reserve("node2", 0x123abdn, 5)],
    [
      `preempt ${A} --key 123abc --type 5`,
      `preempt ${A} --key 123abf --type 5`,
      `preempt ${A} --key 123abd --type 5 --own-key 9`,
      "preempt sim:lun.json?nexus=stranger --key 123abd --type 5 --json",
      `preempt ${A} --key 123abd --type WE-RO -v`,
      `preempt ${A} --key 9 --type WE-RO --json`,
      `dump sim:lun.json?nexus=node2`,
    ],
  ],
  [
    "dump_failures",
    CLUSTER,
    [`dump sim:gone.json?nexus=node1 ${A} /dev/null`, `dump ${A} sim:gone.json?nexus=node1 --json`],
  ],
];
for (const [name, steps, lines, profile] of SCENES) {
  Deno.test(`golden: ${name}`, () =>
    withLun(steps, async (directory) => void await goldenRuns(`${name}.txt`, lines, directory), profile));
}

Deno.test("golden: no file is left that no test reads", () => {
  assert.deepEqual(goldenNames(), [...used].sort());
});
