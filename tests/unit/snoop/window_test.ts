import assert from "node:assert/strict";
import { closeWindow, LONGEST_WINDOW_MS, openWindow, windowFile, windowOf } from "../../../lib/snoop/window.ts";

const LUN = "naa.6001405";

Deno.test("a window is open from its opening to its end, and no longer than it may be", async () => {
  const run = Deno.makeTempDirSync({ prefix: "prmig-" });
  try {
    assert.equal(windowOf(run, LUN), null);
    const until = Date.now() + 10_000;
    await openWindow(run, LUN, { handOver: "h1", pid: 7, until });
    assert.deepEqual(windowOf(run, LUN), { handOver: "h1", pid: 7, until });
    assert.equal(windowOf(run, "naa.7"), null);
    assert.equal(windowOf(run, LUN, until + 1), null, "its time is over");
    assert.equal(windowOf(run, LUN, until - LONGEST_WINDOW_MS - 1), null, "an end too far away is not believed");
    await assert.rejects(
      openWindow(run, LUN, { handOver: "h1", pid: 7, until: Date.now() + LONGEST_WINDOW_MS + 9e3 }),
      RangeError,
    );
    for (const nonsense of ["", "{", "[]", "null", '{"until":"soon"}']) {
      Deno.writeTextFileSync(windowFile(run, LUN), nonsense);
      assert.equal(windowOf(run, LUN), null, nonsense);
    }
    await closeWindow(run, LUN);
    await closeWindow(run, LUN);
    assert.equal(windowOf(run, LUN), null);
  } finally {
    Deno.removeSync(run, { recursive: true });
  }
});
