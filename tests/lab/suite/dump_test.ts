/**
 * `dump --json` against sg_persist, an independent program: no reservation, each of the six types, three nexuses.
 */
import assert from "node:assert/strict";
import {
  drainAttentions,
  type LabLun,
  labTest,
  lun,
  prmig,
  readState,
  register,
  reserve,
  resetLun,
} from "../support.ts";

const KEYS = { A: 0x123abcn, B: 0x1122334455667788n, C: 0xffffffffffffffffn } as const;
const NAMES = ["A", "B", "C"] as const;

interface Dump {
  readonly sg: string;
  readonly block: string;
  readonly hctl: string;
  readonly lun: { readonly designator: string; readonly vendor: string; readonly serial: string };
  readonly generation: number;
  readonly reservation: { readonly key: string; readonly type: number } | null;
  readonly registrations: readonly {
    readonly key: string;
    readonly holder: boolean;
    readonly self: boolean | null;
    readonly relativeTargetPort: number;
    readonly transportId: { readonly protocol: string; readonly address: string };
  }[];
  readonly capabilities: { readonly types: readonly number[]; readonly ptplCapable: boolean };
}

for (const type of [0, 1, 3, 5, 6, 7, 8]) {
  labTest(`dump --json agrees with sg_persist for ${type === 0 ? "no reservation" : `type ${type}`}`, async () => {
    const { nexuses } = lun();
    for (const name of NAMES) await register(nexuses[name], KEYS[name]);
    if (type !== 0) await reserve(nexuses.B, KEYS.B, type);
    await drainAttentions();
    const witness = await readState(nexuses.A);
    // Through every nexus, and by both nodes: the LUN is one, only `self` differs.
    for (const name of NAMES) await agrees(lun(), name, name === "B" ? nexuses[name].sd : nexuses[name].sg, witness);
  });
}

async function agrees(
  { nexuses, designator, serial }: LabLun,
  name: typeof NAMES[number],
  device: string,
  witness: Awaited<ReturnType<typeof readState>>,
): Promise<void> {
  const path = nexuses[name];
  const { code, stdout, stderr } = await prmig(["dump", device, "--json"]);
  assert.equal(code, 0, stderr);
  const dump: Dump = JSON.parse(stdout);
  assert.deepEqual([dump.sg, dump.block, dump.hctl], [path.sg, path.sd, path.hctl]);
  assert.deepEqual([dump.lun.designator, dump.lun.serial, dump.lun.vendor], [designator, serial, "LIO-ORG"]);
  assert.equal(dump.generation, witness.generation);
  assert.deepEqual(
    dump.reservation && { key: BigInt(dump.reservation.key), type: dump.reservation.type },
    witness.reservation,
  );
  const seen = dump.registrations.map((r) => ({
    key: BigInt(r.key),
    holder: r.holder,
    initiatorPort: `naa.${r.transportId.address}`,
    relativeTargetPort: r.relativeTargetPort,
  })).sort((a, b) => a.initiatorPort < b.initiatorPort ? -1 : 1);
  assert.deepEqual(seen, witness.registrants);
  const own = dump.registrations.filter((r) => r.self).map((r) => `naa.${r.transportId.address}`);
  assert.deepEqual(own, [path.initiatorPort]);
  assert.deepEqual(dump.capabilities.types, [1, 3, 5, 6, 7, 8]);
}

labTest("dump sends at most 8 commands, and none that changes anything", async () => {
  const { code, stderr } = await prmig(["dump", lun().nexuses.A.sg, "-v"]);
  assert.equal(code, 0, stderr);
  const commands = stderr.split("\n").filter((line) => line.includes(" -> "));
  assert(commands.length >= 5 && commands.length <= 8, stderr);
  assert(!commands.some((line) => line.includes("RESERVE OUT")), stderr);
});

labTest("dump of a LUN that has forgotten everything, and of what is no LUN", async () => {
  await resetLun();
  const { stdout } = await prmig(["dump", lun().nexuses.C.sd, "--json"]);
  assert.deepEqual(JSON.parse(stdout).registrations, []);
  for (const wrong of ["/dev/null", "/dev/sdzz", "/etc/passwd", "/dev"]) {
    const { code, stderr, stdout } = await prmig(["dump", wrong]);
    assert.deepEqual([code, stdout], [4, ""], stderr);
    assert.match(stderr, /^error: .*\n( {2}.*\n)+$/); // one line that says it, and what is true and what to do
  }
});
