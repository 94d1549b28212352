import assert from "node:assert/strict";
import { identify, isAlive } from "../../../lib/snoop/who.ts";

Deno.test("identify(): this process, alive; and the same for another connection of it", () => {
  const who = identify({ pid: Deno.pid, uid: 0, gid: 0 }, 1);
  assert.equal(who.id, identify({ pid: Deno.pid, uid: 0, gid: 0 }, 2).id);
  assert.equal(who.pid, Deno.pid);
  assert.match(who.program ?? "", /deno/i);
  assert.equal(isAlive(who), true);
  assert.equal(
    isAlive({ pid: who.pid, startTicks: who.startTicks! + 1 }),
    false,
    "the pid came back as another process",
  );
});

Deno.test("identify(): a process that cannot be seen is told from others by its connection alone", () => {
  const hidden = { pid: 0, uid: 107, gid: 107 };
  assert.notEqual(identify(hidden, 1).id, identify(hidden, 2).id);
  assert.equal(isAlive({ pid: 0, startTicks: null }), null);
  assert.equal(isAlive({ pid: 999_999_999, startTicks: 1 }), false);
});

Deno.test("identify(): a name with parentheses and control characters", () => {
  const proc = Deno.makeTempDirSync({ prefix: "prmig-" });
  try {
    Deno.mkdirSync(`${proc}/42`);
    const fields = Array.from({ length: 40 }, (_, i) => String(i + 3));
    Deno.writeTextFileSync(`${proc}/42/stat`, `42 (a) S (\x1b[31m) S ${fields.slice(1).join(" ")}\n`);
    const who = identify({ pid: 42, uid: 0, gid: 0 }, 1, proc);
    assert.deepEqual([who.program, who.startTicks], ["a) S (?[31m", 22]);
    Deno.writeTextFileSync(`${proc}/42/stat`, "nonsense");
    assert.equal(identify({ pid: 42, uid: 0, gid: 0 }, 1, proc).startTicks, null);
  } finally {
    Deno.removeSync(proc, { recursive: true });
  }
});
