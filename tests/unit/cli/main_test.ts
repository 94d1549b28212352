import assert from "node:assert/strict";
import {
  type Command,
  defineCommand,
  fallback,
  flag,
  many,
  one,
  optional,
  repeated,
  required,
} from "../../../lib/cli/command.ts";
import { PrmigError } from "../../../lib/errors.ts";
import { DURATION, KEY } from "../../../lib/cli/values.ts";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { main } from "../../../lib/cli/main.ts";
import { memoryWorld, prmig } from "../../support/cli_world.ts";

const about = { summary: "s", description: "d", exits: {}, examples: [] };
const echo = defineCommand({
  ...about,
  name: "echo",
  changesLun: false,
  args: { devices: many("DEV", "devices", { atLeast: 0 }) },
  options: {
    all: flag("all"),
    ownKey: optional(KEY, "own key"),
    timeout: fallback(DURATION, "30s", "limit"),
    word: repeated(KEY, "keys"),
  },
  run: ({ devices, all, ownKey, timeout, word }, { out, json, verbose }) =>
    Promise.resolve(out.json({
      devices,
      all,
      ownKey: String(ownKey),
      timeout,
      word: word.map(String),
      json,
      verbose,
    })),
});
const pair = defineCommand({
  ...about,
  name: "pair",
  changesLun: true,
  args: { a: one("DEV_A", "first"), b: one("DEV_B", "second") },
  options: { key: required(KEY, "key") },
  run: ({ a, b, key }, { out }) => Promise.resolve(out.line(`${a} ${b} ${key}`)),
});
const commands = [echo, pair];
const run = (words: string | string[]): ReturnType<typeof prmig> => prmig(words, { commands });

Deno.test("main() reads arguments and options by their kinds, in any order", async () => {
  const expected = { devices: ["x", "y"], all: true, ownKey: "10", timeout: 5000, word: ["1", "2"], json: false };
  for (
    const words of [
      "echo x y --all --own-key 0xa --timeout 5s --word 1 --word 2 -v",
      "echo --word=1 --timeout=5s x -v --own-key=a y --word 2 --all",
      "-v echo x --all --own-key a --timeout 5s y --word 1 --word 2",
    ]
  ) {
    const { code, stdout, stderr } = await run(words);
    assert.deepEqual(
      [code, stderr, JSON.parse(stdout)],
      [0, "", { ...expected, verbose: true }],
      words,
    );
  }
});

Deno.test("main() fills in defaults", async () => {
  assert.deepEqual(JSON.parse((await run("echo")).stdout), {
    devices: [],
    all: false,
    ownKey: "undefined",
    timeout: 30_000,
    word: [],
    json: false,
    verbose: false,
  });
});

Deno.test("main() takes --json before the command and after", async () => {
  for (const words of ["--json echo", "echo --json"]) assert.equal(JSON.parse((await run(words)).stdout).json, true);
});

Deno.test("main() takes words after -- as arguments, and no option word as a device", async () => {
  assert.deepEqual(JSON.parse((await run("echo x -- y")).stdout).devices, ["x", "y"]);
  assert.match((await run("echo x -- --help")).stderr, /^error: DEV "--help": looks like an option/);
});

const WRONG: readonly (readonly [words: string | string[], stderr: string])[] = [
  ["ecko", 'error: there is no command "ecko"; did you mean echo?\nTry: prmig --help\n'],
  ["xyzzy", 'error: there is no command "xyzzy"\nTry: prmig --help\n'],
  ["--al", 'error: a command comes first, not "--al"\nTry: prmig --help\n'],
  ["echo --alll", "error: unknown option --alll; did you mean --all?\nTry: prmig echo --help\n"],
  ["echo --own-kee 1", "error: unknown option --own-kee; did you mean --own-key?\nTry: prmig echo --help\n"],
  ["echo -x", "error: unknown option -x\nTry: prmig echo --help\n"],
  ["echo --timeout", "error: option --timeout needs a value\nTry: prmig echo --help\n"],
  ["echo --timeout --all", "error: option --timeout needs a value, but --all follows\nTry: prmig echo --help\n"],
  [
    "echo --timeout 30",
    'error: option --timeout "30": expected a duration with its unit, such as 500ms, 30s, 2m or 1h\n' +
    "Try: prmig echo --help\n",
  ],
  ["echo --timeout 1s --timeout 2s", "error: option --timeout is given twice\nTry: prmig echo --help\n"],
  [
    ["echo", "--own-key="],
    'error: DEV "--own-key=": looks like an option; write ./-name for a file with such a name\n' +
    "Try: prmig echo --help\n",
  ],
  ["pair x --key 1", "error: DEV_B is missing\nTry: prmig pair --help\n"],
  ["pair x y", "error: option --key is missing\nTry: prmig pair --help\n"],
  ["pair x y z --key 1", 'error: too many arguments: "z"\nTry: prmig pair --help\n'],
];
for (const [words, stderr] of WRONG) {
  Deno.test(`main() refuses: ${words}`, async () => {
    assert.deepEqual(await run(words), { code: 2, stdout: "", stderr });
  });
}

Deno.test("main() without words: short help on stderr, exit 2", async () => {
  const { code, stdout, stderr } = await run("");
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /Usage: prmig COMMAND/);
});

Deno.test("main(): help on what there is no help on names what there is", async () => {
  const { code, stdout, stderr } = await prmig("help nonsense");
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^error: there is no help on "nonsense"; there is on dump, .*exit-codes.*\nTry: prmig help\n$/);
});

Deno.test("main(): a usage error under --json is one object", async () => {
  const { code, stdout, stderr } = await run("echo --alll --json");
  assert.deepEqual([code, stdout], [2, ""]);
  assert.deepEqual(JSON.parse(stderr), {
    error: {
      kind: "usage",
      message: "unknown option --alll; did you mean --all?",
      lun: "not touched",
      remedy: "prmig echo --help",
    },
  });
});

/** A command that waits until it is told to stop, and then ends as told. */
function waiting(
  changesLun: boolean,
  onAbort: (reason: unknown) => Promise<number> | null,
  stopsItself = false,
): Command {
  return defineCommand({
    ...about,
    name: "wait",
    changesLun,
    stopsItself,
    args: {},
    options: {},
    run: (_, { signal }) =>
      new Promise<number>((resolve, reject) => {
        signal.addEventListener("abort", () => onAbort(signal.reason)?.then(resolve, reject));
      }),
  });
}

Deno.test("main(): an interrupt ends a reading command at once with 130", async () => {
  const world = memoryWorld();
  const running = main(["wait"], world, [waiting(false, () => null)]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  while (world.interrupt("SIGINT") === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(await running, 130);
  assert.match(world.stderr(), /^error: interrupted by SIGINT\n {2}LUN: as before\n/);
  assert.equal(world.interrupt("SIGINT"), 0, "nobody listens any more");
});

Deno.test("main(): a reading command that tidies up is waited for, and a second interrupt ends it all the same", async () => {
  for (const again of [false, true]) {
    const world = memoryWorld();
    const tidy = waiting(false, () => again ? null : Promise.resolve(7), true);
    const running = main(["wait"], world, [tidy]);
    while (world.interrupt("SIGINT") === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (again) world.interrupt("SIGINT");
    assert.equal(await running, again ? 130 : 7);
  }
});

Deno.test("main(): a changing command is asked to stop, and decides how it ends", async () => {
  const world = memoryWorld();
  const failed = new PrmigError("failed", { message: "rolled back", lun: "as before", remedy: "none" });
  const running = main(["wait"], world, [waiting(true, () => Promise.reject(failed))]);
  while (world.interrupt("SIGTERM") === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(await running, 1);
  assert.match(world.stderr(), /^SIGTERM: stopping in good order; once more to stop at once\nerror: rolled back\n/);
});

Deno.test("main(): a changing command cut short by a second interrupt claims nothing", async () => {
  const world = memoryWorld();
  const running = main(["wait"], world, [waiting(true, () => null)]);
  while (world.interrupt("SIGINT") === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  world.interrupt("SIGINT");
  assert.equal(await running, 5);
  assert.match(world.stderr(), /LUN: not known/);
});

for (const name of ["send", "recv", "migrate", "rollback"]) {
  Deno.test(`main(): prmig ${name} cut short by a second interrupt names recover`, async () => {
    const { exits } = COMMANDS.find((command) => command.name === name)!;
    const world = memoryWorld();
    const running = main(["wait"], world, [{ ...waiting(true, () => null), exits }]);
    while (world.interrupt("SIGINT") === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    world.interrupt("SIGINT");
    assert.equal(await running, 5);
    assert.match(world.stderr(), /try: prmig recover\n/);
  });
}

Deno.test("defineCommand() refuses what a command line cannot express", () => {
  const run = (): Promise<void> => Promise.resolve();
  const rest = { ...about, name: "x", changesLun: false, run };
  assert.throws(() => defineCommand({ ...rest, args: { a: one("A", ""), b: many("B", "") }, options: {} }), TypeError);
  assert.throws(() => defineCommand({ ...rest, args: { a: one("A", "") }, options: { a: flag("") } }), TypeError);
  assert.throws(() => defineCommand({ ...rest, args: {}, options: { json: flag("") } }), TypeError);
});
