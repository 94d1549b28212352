/**
 * `deno task test:hosts`: tests with machines of their own, tests/lab/hosts/suite/. The tests run here; what they test
 * runs in the machines.
 *
 *   deno task test:hosts                        everything
 *   deno task test:hosts -- --filter=ssh        with arguments for `deno test`
 *
 * The last line on standard output counts: `hosts: N passed, N failed, N skipped`.
 *
 * @module
 */
import { endAs } from "../host/lab.ts";
import { countResults } from "../host/junit.ts";
import { provision } from "../provision.ts";

const SUITE = "tests/lab/hosts/suite/";

await endAs(async () => {
  await provision((line) => console.error(`hosts: ${line}`));
  const report = await Deno.makeTempFile({ prefix: "prmig-hosts-", suffix: ".xml" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "-A", "--no-check", `--junit-path=${report}`],
        // deno.json keeps the lab out of `deno test`, so here it is read for its imports only
        ...["--no-config", "--import-map=deno.json", "--lock=deno.lock", "--frozen"],
        ...Deno.args.filter((word) => word !== "--"),
        SUITE,
      ],
    }).spawn().status;
    const { passed, failed, skipped } = countResults(await Deno.readTextFile(report));
    console.log(`hosts: ${passed} passed, ${failed} failed, ${skipped} skipped`);
    return code === 0 && failed === 0 && passed > 0 ? 0 : 1;
  } finally {
    await Deno.remove(report);
  }
});
