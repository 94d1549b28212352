/**
 * All of prmig and its packages as one module of JavaScript, which exports `start`; first.ts calls it.
 *
 * Names are kept: what a defect prints is read by people who have to find it. Everything else is minified, which also
 * removes the paths of this machine from the result.
 *
 * @module
 */
const ENTRY = new URL("../../lib/cli/start.ts", import.meta.url).pathname;
const ROOT = new URL("../../", import.meta.url).pathname;

/** Bundles the program. Throws with what the bundler said when it cannot. */
export async function bundleProgram(): Promise<Uint8Array> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-bundle-" });
  try {
    const file = `${directory}/prmig.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--platform", "deno", "--minify", "--keep-names", "--output", file, ENTRY],
      cwd: ROOT,
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`deno bundle failed: ${new TextDecoder().decode(stderr).trim()}`);
    const bundle = await Deno.readFile(file);
    insistOnWhole(new TextDecoder().decode(bundle));
    return bundle;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** In the one file nothing can be imported any more, and no path of the building machine may be told. */
function insistOnWhole(code: string): void {
  const left = /\bimport\s*\(\s*(?!["'`](?:node:|data:))|^import\b|\bfrom\s*["'](?!node:)/m.exec(code);
  if (left) throw new Error(`the bundle still imports: ...${code.slice(left.index, left.index + 80)}...`);
  if (code.includes(ROOT)) throw new Error(`the bundle names a path of this machine: ${ROOT}`);
}
