import assert from "node:assert/strict";

Deno.test("importing lib/sys and lib/sg touches no foreign function: --help and --version never load one", async () => {
  const modules = ["sys/fd.ts", "sys/calls.ts", "sys/libc.ts", "sg/device.ts", "sg/discover.ts"]
    .map((path) => `import ${JSON.stringify(import.meta.resolve(`../../../lib/${path}`))};`);
  const script = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(script, `${modules.join("\n")}\nconsole.log("imported");`);
    const args = ["run", "--no-prompt", "--no-config", "--no-lock", "--no-check", "--deny-ffi", script];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assert.equal(new TextDecoder().decode(stdout), "imported\n", new TextDecoder().decode(stderr));
  } finally {
    Deno.removeSync(script);
  }
});
