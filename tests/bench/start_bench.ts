/**
 * Start-up: an empty script, and the least prmig can do.
 *
 * @module
 */
const root = new URL("../../", import.meta.url).pathname;
const empty = await Deno.makeTempFile({ prefix: "prmig-empty-", suffix: ".ts" });
globalThis.addEventListener("unload", () => Deno.removeSync(empty));

async function start(...words: string[]): Promise<void> {
  const env = { DENO_NO_UPDATE_CHECK: "1" };
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", ...words], env, stdout: "null" });
  await command.output();
}

Deno.bench("an empty script", { group: "start", baseline: true }, () => start(empty));
Deno.bench("prmig --version", { group: "start" }, () => start(`${root}main.ts`, "--version"));
Deno.bench("prmig --help", { group: "start" }, () => start(`${root}main.ts`, "--help"));
Deno.bench("prmig help nonsense", { group: "start" }, () => start(`${root}main.ts`, "help", "nonsense"));
