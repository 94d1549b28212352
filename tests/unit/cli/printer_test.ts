import assert from "node:assert/strict";
import { OutputError, printer, streamSink } from "../../../lib/cli/printer.ts";

Deno.test("printer() falls silent when the reader has gone, and says so", () => {
  let writes = 0;
  const broken = printer(() => {
    writes++;
    throw new Deno.errors.BrokenPipe("nobody reads");
  });
  assert.equal(broken.closed, false);
  broken.line("a");
  broken.line("b");
  broken.json({});
  assert.equal(broken.closed, true);
  assert.equal(writes, 1);
});

Deno.test("printer() does not hide other errors: a full disk is one", () => {
  const full = printer(() => {
    throw new Error("No space left on device");
  });
  assert.throws(() => full.line("a"), (error) => error instanceof OutputError && /No space left/.test(error.message));
});

Deno.test("printer() for stderr gives up silently: the exit code still tells", () => {
  const full = printer(() => {
    throw new Error("No space left on device");
  }, { silentFailure: true });
  full.line("a");
  assert.equal(full.closed, true);
});

Deno.test("streamSink() writes all of it, in parts and through a pipe that is full for a moment", () => {
  const got: number[] = [];
  let calls = 0;
  const sink = streamSink({
    writeSync: (bytes) => {
      if (++calls === 2) throw new Deno.errors.WouldBlock("later");
      got.push(bytes[0]!);
      return 1;
    },
  });
  sink(Uint8Array.of(1, 2, 3));
  assert.deepEqual(got, [1, 2, 3]);
  assert.equal(calls, 4);
});
