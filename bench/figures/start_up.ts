/**
 * Start-up, from exec to exit: the least prmig can do, against a script that does nothing.
 *
 * @module
 */
import { assemble } from "../../tools/build/assemble.ts";
import { writeExecutable } from "../../tools/build/build.ts";
import { bundleProgram } from "../../tools/build/bundle.ts";
import { pinnedRuntime } from "../../tools/build/runtime.ts";
import { NO_CACHE, RUNTIME_OPTIONS } from "../../tools/build/settings.ts";
import { stubFor } from "../../tools/build/stub.ts";
import type { Figure, Row, Sample } from "../figure.ts";
import { inTurn, rounds, timedProgram, withDirectory } from "../measure.ts";

const PEER = "empty script";

/** Start-up. */
export const startUp: Figure = {
  name: "start-up",
  where: "machine",
  measure: (scale) =>
    withDirectory(async (directory) => {
      // The one file as it is shipped, but for where root's cache is.
      const arch = Deno.build.arch;
      const file = `${directory}/prmig`;
      const [runtime, bundle] = [await pinnedRuntime(arch, null), await bundleProgram()];
      const parts = { runtime, stub: stubFor(arch), bundle, arch, rootCache: `${directory}/cache`, noCache: NO_CACHE };
      await writeExecutable(file, assemble(parts));
      const [empty, lun] = [`${directory}/empty.mjs`, `sim:${directory}/lun.json?nexus=A&create`];
      await Deno.writeTextFile(empty, "");
      const env = { DENO_NO_UPDATE_CHECK: "1", DENO_NO_PACKAGE_JSON: "1", DENO_DIR: `${directory}/deno` };
      const prmig = (...words: string[]): () => Promise<number> => () => timedProgram([file, ...words]);
      const times = await inTurn(rounds(scale, 25), {
        [PEER]: () => timedProgram([Deno.execPath(), ...RUNTIME_OPTIONS, empty], env),
        version: prmig("--version"),
        help: prmig("--help"),
        topic: prmig("help", "keys"),
        dump: prmig("dump", lun),
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
          row("start-up: dump of a simulated LUN", times.dump!, []),
        ],
      };
    }),
};
