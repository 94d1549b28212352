import assert from "node:assert/strict";
import { FlagError, parseFlags } from "../../lab/host/flags.ts";

const CASES: readonly (readonly [string[], Record<string, unknown>, string[]])[] = [
  [[], {}, []],
  [["--", "sg_persist", "-k", "/dev/sg0"], {}, ["sg_persist", "-k", "/dev/sg0"]],
  [["sh", "-c", "--timeout=3"], {}, ["sh", "-c", "--timeout=3"]],
  [["--timeout=30", "--", "ls"], { timeoutSeconds: 30 }, ["ls"]],
  [["--", "--memory=512", "--accel=tcg", "--out=/tmp/x", "ls"], { memoryMiB: 512, accelerator: "tcg", out: "/tmp/x" }, [
    "ls",
  ]],
  [["--accel=um"], { accelerator: "um" }, []],
  [["--", "--timeout=3", "--", "--help"], { timeoutSeconds: 3 }, ["--help"]],
  [["--filter", "reset"], {}, ["--filter", "reset"]],
];
for (const [args, wanted, rest] of CASES) {
  Deno.test(`parseFlags() on [${args.join(" ")}]`, () => {
    const parsed = parseFlags(args);
    const defaults = { timeoutSeconds: 600, memoryMiB: 2048, accelerator: "auto", out: undefined };
    assert.deepEqual(parsed, { flags: { ...defaults, ...wanted }, rest });
  });
}

for (const word of ["--timeout=soon", "--timeout=0", "--memory=", "--accel=xen"]) {
  Deno.test(`parseFlags() refuses ${word}`, () => {
    assert.throws(() => parseFlags([word]), FlagError);
  });
}
