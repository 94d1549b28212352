/** Files replaced whole, locks, and files set aside. */
import assert from "node:assert/strict";
import { removeIfThere, setAside, writeAtomically } from "../../../lib/files/atomic.ts";
import { FileError } from "../../../lib/files/file_error.ts";
import { LockTimeout, withLock } from "../../../lib/files/lock.ts";
import { Turns } from "../../../lib/files/turns.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function inDirectory(name: string, body: (directory: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir();
    try {
      await body(directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

for (const prompt of [false, true]) {
  const how = prompt ? "prompt" : "";
  inDirectory(`writeAtomically(${how}) creates and replaces, and leaves nothing else`, async (dir) => {
    for (const text of ["one", "", "three"]) {
      await writeAtomically(`${dir}/file`, bytes(text), { prompt });
      assert.equal(await Deno.readTextFile(`${dir}/file`), text);
    }
    await writeAtomically(`${dir}/quick`, bytes("x"), { durable: false, prompt });
    assert.deepEqual(names(dir), ["file", "quick"]);
  });

  inDirectory(`writeAtomically(${how}) keeps others out, whatever mode is asked for`, async (dir) => {
    for (const [mode, wanted] of [[undefined, 0o600], [0o640, 0o640], [0o666, 0o660], [0o777, 0o770]] as const) {
      await writeAtomically(`${dir}/file`, bytes("x"), { mode, prompt });
      assert.equal(modeOf(`${dir}/file`), wanted);
    }
  });

  inDirectory(`writeAtomically(${how}): whoever has the old file open goes on reading the old bytes`, async (dir) => {
    await writeAtomically(`${dir}/file`, bytes("old"), { prompt });
    using old = await Deno.open(`${dir}/file`);
    await writeAtomically(`${dir}/file`, bytes("newer"), { prompt });
    const read = new Uint8Array(8);
    assert.equal(await old.read(read), 3);
    assert.equal(new TextDecoder().decode(read.subarray(0, 3)), "old");
  });

  inDirectory(`writeAtomically(${how}) that cannot rename takes its temporary file away`, async (dir) => {
    await Deno.mkdir(`${dir}/taken`);
    await assert.rejects(writeAtomically(`${dir}/taken`, bytes("x"), { prompt }), (error: FileError) => {
      assert.ok(error instanceof FileError);
      assert.deepEqual([error.action, error.path], ["write", `${dir}/taken`]);
      return true;
    });
    assert.deepEqual(names(dir), ["taken"]);
  });

  inDirectory(`writeAtomically(${how}) into a directory that is not there says so`, async (dir) => {
    await assert.rejects(writeAtomically(`${dir}/no/file`, bytes("x"), { prompt }), {
      name: "FileError",
      message: `cannot write ${dir}/no/file: no such file or directory`,
    });
  });

  inDirectory(`writeAtomically(${how}): when the file system has no room the old file stays, alone`, async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "old");
    const script = `
    import { writeAtomically } from "${new URL("../../../lib/files/atomic.ts", import.meta.url)}";
    await writeAtomically("${dir}/file", new Uint8Array(8 << 20), { prompt: ${prompt} }).catch((error) => console.log(error.name, error.message));`;
    // A limit on file size is the full disk one can have without a disk: the write fails half-way.
    const command = `trap "" XFSZ; ulimit -f 4096; exec "$0" eval --no-lock --quiet '${script}'`;
    const { stdout, stderr } = await new Deno.Command("bash", { args: ["-c", command, Deno.execPath()] }).output();
    assert.match(
      new TextDecoder().decode(stdout),
      /^FileError cannot write .*: File too large/,
      new TextDecoder().decode(stderr),
    );
    assert.equal(await Deno.readTextFile(`${dir}/file`), "old");
    assert.deepEqual(names(dir), ["file"]);
  });
}

inDirectory("setAside() never covers what was set aside before", async (dir) => {
  for (const number of [1, 2, 3]) {
    await Deno.writeTextFile(`${dir}/file`, `${number}`);
    assert.equal(await setAside(`${dir}/file`), `${dir}/file.corrupt-${number}`);
  }
  assert.deepEqual(names(dir), ["file.corrupt-1", "file.corrupt-2", "file.corrupt-3"]);
  assert.equal(await Deno.readTextFile(`${dir}/file.corrupt-1`), "1");
  await assert.rejects(setAside(`${dir}/file`), FileError);
});

inDirectory("removeIfThere() does not mind", async (dir) => {
  await Deno.writeTextFile(`${dir}/file`, "");
  await removeIfThere(`${dir}/file`);
  await removeIfThere(`${dir}/file`);
  assert.deepEqual(names(dir), []);
});

inDirectory("withLock(): one after the other, in order, and the next after a failure", async (dir) => {
  const path = `${dir}/file`;
  const done: string[] = [];
  const work = (name: string, ms: number): Promise<void> =>
    withLock(path, async () => {
      done.push(`${name} in`);
      await pause(ms);
      done.push(`${name} out`);
    });
  const failing = withLock(path, () => Promise.reject(new Error("mine")));
  await Promise.all([work("a", 5), work("b", 1), assert.rejects(failing, /mine/), work("c", 0)]);
  assert.deepEqual(done, ["a in", "a out", "b in", "b out", "c in", "c out"]);
  assert.deepEqual(names(dir), ["file.lock"]);
  assert.equal(modeOf(`${path}.lock`), 0o600);
});

inDirectory("withLock() gives up in time, and those behind it do not suffer", async (dir) => {
  const path = `${dir}/file`;
  const long = withLock(path, () => pause(80));
  await assert.rejects(withLock(path, () => "never", { timeoutMs: 10 }), (error: LockTimeout) => {
    assert.ok(error instanceof LockTimeout);
    assert.match(error.message, /another process has held .*file\.lock/);
    return true;
  });
  assert.equal(await withLock(path, () => "then"), "then");
  await long;
});

inDirectory("withLock() waits for a lock taken otherwise, without stopping the clock", async (dir) => {
  const path = `${dir}/file`;
  const other = await Deno.open(`${path}.lock`, { write: true, create: true });
  other.lockSync(true);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const waiting = withLock(path, () => "mine");
  await pause(60);
  other.close();
  assert.equal(await waiting, "mine");
  clearInterval(timer);
  assert.ok(ticks >= 3, `${ticks} ticks`);
});

inDirectory("withLock() where no lock file can be is a FileError", async (dir) => {
  await assert.rejects(withLock(`${dir}/no/file`, () => "never"), {
    name: "FileError",
    message: `cannot lock ${dir}/no/file: no such file or directory`,
  });
});

Deno.test("Turns: a waiter that gave up is passed over", async () => {
  const turns = new Turns();
  assert.equal(await turns.enter("x", Infinity), true);
  const soon = turns.enter("x", performance.now() + 1);
  const later = turns.enter("x", performance.now() + 60_000);
  assert.equal(await soon, false);
  turns.leave("x");
  assert.equal(await later, true);
  turns.leave("x");
  assert.equal(await turns.enter("x", 0), true);
});
