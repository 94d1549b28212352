/**
 * Start-up, from exec to exit: the least prmig can do, against a script that does nothing.
 *
 * @module
 */
import { bundleProgram } from "../../tools/build/bundle.ts";
import { RUNTIME_ARGUMENTS } from "../../tools/build/settings.ts";
import type { Figure, Row, Sample } from "../figure.ts";
import { inTurn, rounds, timedProgram, withDirectory } from "../measure.ts";

const PEER = "empty script";

/** Start-up. */
export const startUp: Figure = {
  name: "start-up",
  where: "machine",
  measure: (scale) =>
    withDirectory(async (directory) => {
      // As the one file starts it (tools/build/): the same bundle, the same arguments.
      const deno = [Deno.execPath(), ...RUNTIME_ARGUMENTS];
      const env = { DENO_NO_UPDATE_CHECK: "1", DENO_NO_PACKAGE_JSON: "1", DENO_DIR: `${directory}/deno` };
      const [empty, bundle] = [`${directory}/empty.mjs`, `${directory}/prmig.mjs`];
      await Deno.writeTextFile(empty, "");
      await Deno.writeFile(bundle, await bundleProgram());
      const start = (...words: string[]): () => Promise<number> => () => timedProgram([...deno, ...words], env);
      const times = await inTurn(rounds(scale, 25), {
        [PEER]: start(empty),
        version: start(bundle, "--version"),
        help: start(bundle, "--help"),
      }, 2);
      const row = (figure: string, prmig: Sample): Row => ({
        figure,
        unit: "ms",
        prmig,
        peers: { [PEER]: times[PEER]! },
        targets: [{ says: "at most 1.3 x the empty script", against: PEER, atMost: 1.3 }],
      });
      return { rows: [row("start-up: --version", times.version!), row("start-up: --help", times.help!)] };
    }),
};
