import assert from "node:assert/strict";

const ROOT = new URL("../../../", import.meta.url);

function json(path: string): Record<string, unknown> {
  return JSON.parse(Deno.readTextFileSync(new URL(path, ROOT)));
}

async function example(words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...words],
    cwd: ROOT,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("what is published is what deno.json exports, in the same version", () => {
  const deno = json("deno.json"), jsr = json("jsr.json");
  for (const name of ["name", "version", "license", "exports"]) assert.deepEqual(jsr[name], deno[name], name);
  for (const path of Object.values(deno.exports as Record<string, string>)) {
    assert.ok(Deno.statSync(new URL(path, ROOT)).isFile, path);
  }
});

Deno.test("the example of a fencing tells its story; what it imports loads without any permission", async () => {
  assert.deepEqual((await example(["examples/fencing_rehearsal.ts"])).trim().split("\n"), [
    "berlin: register -> GOOD",
    "paris: register -> GOOD",
    "berlin: reserve -> GOOD",
    "paris: preempt -> GOOD",
    "berlin: release -> UNIT ATTENTION, Registrations preempted (06/2A/05)",
    "berlin: release -> RESERVATION CONFLICT",
    "the LUN is held under 0x00000000000000fa",
  ]);
});

Deno.test("the example that reads a LUN reads a simulated one", async () => {
  const directory = await Deno.makeTempDir({ prefix: "prmig-library-" });
  try {
    const words = ["-A", "examples/who_holds.ts", `sim:${directory}/lun.json?nexus=A&create`];
    assert.equal(await example(words), "no reservation\n");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
