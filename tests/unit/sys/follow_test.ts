import assert from "node:assert/strict";
import { monotonicUs, wallUs } from "../../../lib/sys/clock.ts";
import { Follower } from "../../../lib/sys/follow.ts";

/** A FIFO stands for trace_pipe: bytes come when somebody writes them. */
async function fifo(run: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/pipe`;
    const made = await new Deno.Command("mkfifo", { args: [path] }).output();
    assert.ok(made.success);
    await run(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("Follower delivers what is written, tells idle from end, and stops at once", async () => {
  await fifo(async (path) => {
    const follower = await Follower.open(path);
    const writer = await Deno.open(path, { read: true, write: true });
    assert.deepEqual(await follower.next(5), { kind: "idle" });
    const waiting = follower.next(10_000);
    await writer.write(new TextEncoder().encode("one line\n"));
    assert.deepEqual(await waiting, { kind: "bytes", bytes: new TextEncoder().encode("one line\n") });
    const stopped = follower.next(10_000);
    follower.stop();
    assert.deepEqual(await stopped, { kind: "stopped" });
    assert.deepEqual(await follower.next(10_000), { kind: "stopped" });
    follower.close();
    follower.close();
    writer.close();
  });
});

Deno.test("Follower reports the end of a file that nobody writes any more", async () => {
  await fifo(async (path) => {
    const follower = await Follower.open(path);
    assert.deepEqual(await follower.next(5), { kind: "end" });
    follower.close();
  });
});

Deno.test("Follower.open() gives the call's own errno", async () => {
  await assert.rejects(Follower.open("/nonexistent/trace_pipe"), { name: "SysError", code: "ENOENT" });
});

Deno.test("monotonicUs() goes forward at the pace of performance.now(), wallUs() at that of Date.now()", async () => {
  const pace = async (now: () => number, known: () => number): Promise<void> => {
    const first = [known(), now() / 1000, known()] as const;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const last = [known(), now() / 1000, known()] as const;
    // However long the program was held up between two readings: each lies between the two around it.
    const ms = last[1] - first[1];
    assert.ok(ms >= last[0] - first[2] - 2 && ms <= last[2] - first[0] + 2, `${first} ${last}`);
  };
  await pace(monotonicUs, () => performance.now());
  await pace(wallUs, () => Date.now());
  assert.ok(Math.abs(wallUs() / 1000 - Date.now()) < 60_000, "the same era");
});
