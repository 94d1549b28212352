import assert from "node:assert/strict";
import { EXIT, type FailureKind, PrmigError } from "../../../lib/errors.ts";
import { colours } from "../../../lib/cli/colour.ts";
import { present } from "../../../lib/cli/present.ts";

const plain = { json: false, colour: colours(false), changesLun: false };
const facts = {
  message: "Cannot read the reservations of /dev/sg3: not ready",
  device: "/dev/sg3",
  command: "PERSISTENT RESERVE IN, READ KEYS",
  status: "NOT READY (02/04/01)",
  lun: "unchanged",
  remedy: "prmig dump /dev/sg3",
};

Deno.test("present() tells what failed, how the LUN is, and what to do; nothing twice", () => {
  assert.deepEqual(present(new PrmigError("device", facts), plain), {
    exitCode: 4,
    stderr: "error: Cannot read the reservations of /dev/sg3: not ready\n" +
      "  command: PERSISTENT RESERVE IN, READ KEYS\n" +
      "  status: NOT READY (02/04/01)\n" +
      "  LUN: unchanged\n" +
      "  try: prmig dump /dev/sg3",
  });
});

Deno.test("present() with --json is one object", () => {
  const { stderr } = present(new PrmigError("device", facts), { ...plain, json: true });
  assert.deepEqual(JSON.parse(stderr), { error: { kind: "device", ...facts } });
});

for (const [kind, code] of Object.entries(EXIT)) {
  if (kind === "ok") continue;
  Deno.test(`present(): ${kind} exits ${code}`, () => {
    assert.equal(present(new PrmigError(kind as FailureKind, facts), plain).exitCode, code);
  });
}

Deno.test("present(): a field cannot pass for another, nor act on the terminal", () => {
  const forged = { ...facts, message: "vendor is X\n  LUN: all is well\x1b[2J", device: undefined };
  const { stderr } = present(new PrmigError("refused", forged), plain);
  assert.match(stderr, /^error: vendor is X\n {6}LUN: all is well\\x1b\[2J\n {2}command:/);
});

Deno.test("present(): an unknown exception is a defect, with version, stack and cause", () => {
  const defect = new TypeError("x is not a function", { cause: new Error("why") });
  const { stderr, exitCode } = present(defect, plain);
  assert.equal(exitCode, EXIT.failed);
  assert.match(stderr, /^error: defect in prmig \d+\.\d+\.\d+: TypeError: x is not a function\n/);
  assert.match(stderr, /\n {2}LUN: unchanged; this command only reads\n/);
  assert.match(stderr, /\n {2}at .*present_test\.ts/);
  assert.match(stderr, /\n {2}caused by Error: why\n/);
});

Deno.test("present(): a defect of a command that changes LUNs claims nothing about the LUN", () => {
  const { stderr, exitCode } = present("a text", { ...plain, changesLun: true });
  assert.equal(exitCode, EXIT.unsure);
  assert.match(stderr, /thrown: a text/);
  assert.match(stderr, /LUN: not known/);
});

Deno.test("present(): a defect is one JSON object, too", () => {
  const { stderr } = present(new Error("x"), { ...plain, json: true });
  const { error } = JSON.parse(stderr);
  assert.equal(error.kind, "defect");
  assert.ok(Array.isArray(error.stack));
});
