/**
 * `prmig check` on real devices, from the source alone and with the destination's view over ssh: what it looks at, its
 * verdict, and one remedy for everything that stands in the way. The transcript is kept.
 */
import assert from "node:assert/strict";
import { HELD, heldBySrc, type Hosts, PEER, startHosts } from "../packaged_hosts.ts";
import { labTest, lun, register, resetLun, run } from "../support.ts";
import { assertTranscript, typed } from "../transcripts.ts";

const HERE = "prmig check /dev/sdb";
const BOTH = "prmig check /dev/sdb -- 'ssh dst prmig dump /dev/sdb'";

/** A one-time key, as an interrupted hand-over leaves it. */
const TOKEN = 0x70726d6700000001n;

/** Begins a hand-over and kills it as soon as it has written its journal. */
const KILLED = "prmig send /dev/sdb >/tmp/offer & " +
  "until ls /var/lib/prmig/journal/*.json >/dev/null 2>&1; do sleep 0.2; done; kill -9 $!";

interface Scene {
  readonly title: string;
  /** Brings the LUN, or a host, into the state. */
  readonly prepare: (hosts: Hosts) => Promise<void>;
  readonly lines: readonly (readonly [line: string, code: number])[];
}

const SCENES: readonly Scene[] = [
  { title: "all is well", prepare: heldBySrc, lines: [[HERE, 0], [BOTH, 0]] },
  { title: "nobody is registered", prepare: async () => {}, lines: [[HERE, 3]] },
  {
    title: "only others are registered",
    prepare: async () => await register(lun().nexuses.C, PEER),
    lines: [[HERE, 3]],
  },
  {
    title: "the destination is registered already, and a nexus shares the key",
    prepare: async () => {
      await heldBySrc();
      await register(lun().nexuses.A, 0xdddn);
      await register(lun().nexuses.C, HELD);
    },
    lines: [[BOTH, 3]],
  },
  {
    title: "registrations survive a loss of power, and somebody stands under a one-time key",
    prepare: async () => {
      const { B, C } = lun().nexuses;
      const { code, stderr } = await run([
        ...["sg_persist", "--out", "--register-ignore", `--param-sark=0x${HELD.toString(16)}`, "--param-aptpl", B.sg],
      ]);
      assert.equal(code, 0, stderr);
      await register(C, TOKEN);
    },
    lines: [[HERE, 3]],
  },
  {
    title: "a hand-over was killed; the remedy helps",
    prepare: async (hosts) => {
      await heldBySrc();
      await hosts.shell("src", KILLED);
    },
    lines: [[HERE, 3], ["prmig recover", 0], [HERE, 0]],
  },
  {
    title: "another LUN, no LUN, a host that does not answer",
    prepare: heldBySrc,
    lines: [
      ["prmig check /dev/sdb OTHER_LUN", 3],
      ["prmig check /dev/null", 4],
      ["prmig check /dev/sdb -- 'ssh dst prmig dump /dev/nothing'", 4],
    ],
  },
];

for (const [number, { title, prepare, lines }] of SCENES.entries()) {
  labTest(`check: ${title}`, async () => {
    await resetLun(); // a registration made with APTPL leaves the generation as it is
    await using hosts = await startHosts();
    await prepare(hosts);
    let transcript = `# ${title}\n\n`;
    for (const [line, code] of lines) {
      const other = lun(1).nexuses.A.sd;
      const ran = await hosts.shell("src", line.replace("OTHER_LUN", other));
      transcript += typed(line, { ...ran, stdout: ran.stdout.replaceAll(other, "OTHER_LUN") }, hosts.heardFromDst());
      assert.equal(ran.code, code, transcript);
    }
    assertTranscript(`check_${number + 1}.txt`, transcript);
  });
}
