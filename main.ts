/**
 * prmig: words in, exit code out. Everything is imported when it is needed, so that the version costs nothing.
 *
 * @module
 */
if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  const { VERSION } = await import("./lib/cli/version.ts");
  console.log(VERSION);
} else {
  const [{ main }, { processWorld }] = await Promise.all([import("./lib/cli/main.ts"), import("./lib/cli/world.ts")]);
  Deno.exit(await main(Deno.args, processWorld()));
}
