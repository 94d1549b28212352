/**
 * Nothing is kept of a command once it is answered, nor of a client that is gone: descriptors and resident memory after many
 * times 10,000 commands are what they were before. Good clients here; hostile ones are in snoop_hostile_test.ts.
 */
import assert from "node:assert/strict";
import { compiled, ran, withDirectory } from "../../../bench/measure.ts";
import { descriptorsBack, restingDescriptors, type ServingHelper, startSnoop } from "../helpers.ts";
import { labTest, lun } from "../support.ts";

const COMMANDS = 10_000, CONNECTIONS = 64;
/** Until the program is compiled, its heap and its threads have come to their size: both kinds of commands, twice. */
const WARM_UP = 2;
const ROUNDS = 4;
/** KiB by which a heap may be larger at one look than at another. A leak of 512 bytes a command would be 20,000 after the rounds. */
const SWING = 12 * 1024;

/** Resident memory in KiB. */
function memory({ process }: ServingHelper): number {
  return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${process.pid}/status`))![1]);
}

labTest(
  `${ROUNDS} x ${COMMANDS} commands by ${ROUNDS * 2} x ${CONNECTIONS} clients leave no descriptor and no memory behind`,
  () =>
    withDirectory(async (directory) => {
      const program = await compiled("helper_load", directory);
      const nodes = Object.values(lun().nexuses).map(({ sd }) => sd);
      const helper = await startSnoop({ args: ["-q"] });
      const round = async (): Promise<void> => {
        for (const kind of ["in", "out"]) {
          const words = [program, helper.socket, `${CONNECTIONS}`, `${COMMANDS / 2}x`, kind, ...nodes];
          const { answers } = JSON.parse(await ran(words));
          assert.equal(answers, COMMANDS / 2);
        }
      };
      try {
        const before = await restingDescriptors(helper);
        for (let i = 0; i < WARM_UP; i++) await round();
        const seen = [memory(helper)];
        for (let i = 0; i < ROUNDS; i++) {
          await round();
          await descriptorsBack(helper, before);
          seen.push(memory(helper));
        }
        assert.equal(await restingDescriptors(helper), before, "descriptors");
        const grown = seen.at(-1)! - seen[0]!;
        assert.ok(grown < SWING, `memory in KiB, after each ${COMMANDS} commands: ${seen.join(", ")}`);
        console.log(`${before} descriptors before and after; memory in KiB: ${seen.join(", ")}`);
      } finally {
        assert.equal((await helper.stop()).code, 0);
      }
    }),
);
