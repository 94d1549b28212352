/**
 * Start-up, from exec to exit: the least prmig can do, against a script that does nothing.
 *
 * @module
 */
import { bundleProgram } from "../../tools/build/bundle.ts";
import { RUNTIME_ARGUMENTS, RUNTIME_OPTIONS } from "../../tools/build/settings.ts";
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
      const env = { DENO_NO_UPDATE_CHECK: "1", DENO_NO_PACKAGE_JSON: "1", DENO_DIR: `${directory}/deno` };
      const [empty, bundle] = [`${directory}/empty.mjs`, `${directory}/prmig.mjs`];
      await Deno.writeTextFile(empty, "");
      await Deno.writeFile(bundle, await bundleProgram());
      const start = (words: readonly string[]): () => Promise<number> => () =>
        timedProgram([Deno.execPath(), ...words], env);
      const prmig = (...words: string[]): () => Promise<number> => start([...RUNTIME_ARGUMENTS, bundle, ...words]);
      const times = await inTurn(rounds(scale, 25), {
        [PEER]: start([...RUNTIME_OPTIONS, empty]),
        version: prmig("--version"),
        help: prmig("--help"),
        topic: prmig("help", "keys"),
      }, 2);
      const target = { says: "at most 1.3 x the empty script", against: PEER, atMost: 1.3 };
      const row = (figure: string, prmig: Sample, targets: Row["targets"] = [target]): Row => ({
        figure,
        unit: "ms",
        prmig,
        peers: { [PEER]: times[PEER]! },
        targets,
      });
      return {
        rows: [
          row("start-up: --version", times.version!),
          row("start-up: --help", times.help!),
          row("start-up: help keys, the whole program", times.topic!, []),
        ],
      };
    }),
};
