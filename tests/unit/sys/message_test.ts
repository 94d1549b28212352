import assert from "node:assert/strict";
import { type ReceiveCalls, Receiver } from "../../../lib/sys/message.ts";

const EAGAIN = 11, EINVAL = 22, ECONNRESET = 104;

/** Calls that fail with these errors, one after the other, the last one for ever. */
function failing(...errors: number[]): ReceiveCalls & { readonly count: () => number } {
  let count = 0;
  return { recvmsg: () => (count++, -1), errno: () => errors[Math.min(count, errors.length) - 1]!, count: () => count };
}

const CASES: [name: string, errors: number[], wanted: string, calls: number][] = [
  ["nothing is there", [EAGAIN], "nothingYet", 1],
  ["the peer is gone", [ECONNRESET], "failed 104", 1],
  ["errno held something else for once, and nothing is there", [EINVAL, EAGAIN], "nothingYet", 2],
  ["the socket does fail", [EINVAL, EINVAL], "failed 22", 2],
];
for (const [name, errors, wanted, count] of CASES) {
  Deno.test(`Receiver: ${name}`, () => {
    const calls = failing(...errors);
    const got = new Receiver(16, calls).receive(0, 16, true);
    assert.equal(got.kind === "failed" ? `failed ${got.errno}` : got.kind, wanted);
    assert.equal(calls.count(), count);
  });
}
