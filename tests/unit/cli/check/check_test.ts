import assert from "node:assert/strict";
import type { Finding } from "../../../../lib/cli/check/finding.ts";
import { exitCodeOf } from "../../../../lib/cli/check/finding.ts";
import { destinationFindings, lunFindings, sourceFindings } from "../../../../lib/cli/check/lun_findings.ts";
import type { DumpRecord, DumpRegistration } from "../../../../lib/cli/dump/record.ts";
import { prOut, type PrOutRequest } from "../../../../lib/pr/commands.ts";
import { PROFILES } from "../../../../lib/pr/sim/profile.ts";
import { createSimLun, openSimNexus } from "../../../../lib/sim/open.ts";
import { prmig } from "../../../support/cli_world.ts";

const CAPABILITIES: NonNullable<DumpRecord["capabilities"]> = {
  ptplCapable: true,
  ptplActive: true,
  allTargetPorts: true,
  specifyInitiatorPorts: true,
  types: [1, 3, 5, 6, 7, 8],
  replaceLost: false,
  compatibleReservationHandling: true,
  allowCommands: 1,
  typeMaskValid: true,
};

function registration(key: string, self: boolean | null, holder = false): DumpRegistration {
  return {
    key,
    self,
    holder,
    relativeTargetPort: 1,
    transportId: { protocol: "sas", address: `5000${key.slice(-12)}` },
  };
}
const OURS = registration("0x0000000000000abc", true, true);
const OTHER = registration("0x0000000000000def", false);

/** A LUN that this host holds and can hand over. */
const GOOD: DumpRecord = {
  device: "/dev/sdb",
  sg: "/dev/sg1",
  block: "/dev/sdb",
  hctl: "2:0:0:1",
  multipath: null,
  paths: ["/dev/sdb"],
  unusablePaths: [],
  lun: {
    designator: "naa.6001405",
    designators: ["naa.6001405"],
    vendor: "LIO-ORG",
    product: "FILEIO",
    revision: "4.0",
    serial: null,
    deviceType: 0,
    relativeTargetPort: 1,
  },
  generation: 2,
  reservation: { key: OURS.key, type: 5, typeName: "Write Exclusive, Registrants Only", scope: 0 },
  registrations: [OURS, OTHER],
  fullStatus: true,
  capabilities: CAPABILITIES,
  snooped: null,
};

/** Level and subject of what is not well. */
function amiss(findings: readonly Finding[]): string[] {
  return findings.filter(({ level }) => level !== "ok").map(({ level, about }) => `${level} ${about}`);
}

Deno.test("a LUN that can be handed over has nothing amiss", () => {
  assert.deepEqual(amiss([...lunFindings(GOOD), ...sourceFindings(GOOD)]), []);
});

const LUNS: readonly (readonly [what: string, change: Partial<DumpRecord>, wanted: readonly string[]])[] = [
  ["without a name", { lun: { ...GOOD.lun, designator: null } }, ["no identity"]],
  ["that is a tape", { lun: { ...GOOD.lun, deviceType: 1 } }, ["no identity"]],
  ["of a type no standard knows", { reservation: { ...GOOD.reservation!, type: 2 } }, ["no capability"]],
  ["that reports no capabilities", { capabilities: null }, ["warning capability"]],
  ["whose mask says nothing", { capabilities: { ...CAPABILITIES, typeMaskValid: false } }, ["warning capability"]],
  ["that supports no type", { capabilities: { ...CAPABILITIES, types: [] } }, ["no capability"]],
  ["without READ FULL STATUS", { fullStatus: false }, ["warning who is who"]],
  ["that forgets at a loss of power", { capabilities: { ...CAPABILITIES, ptplActive: false } }, ["warning power loss"]],
  [
    "with a one-time key on it",
    { registrations: [OURS, registration("0x70726d6700000001", false)] },
    ["no unfinished"],
  ],
  ["of a map, whole", { multipath: "mpatha", paths: ["/dev/sdb", "/dev/sdc"] }, []],
  [
    "of a map with a path lost",
    { multipath: "mpatha", unusablePaths: [{ path: "/dev/sdc", reason: "gone" }] },
    ["no multipath"],
  ],
];
for (const [what, change, wanted] of LUNS) {
  Deno.test(`check: a LUN ${what}`, () => assert.deepEqual(amiss(lunFindings({ ...GOOD, ...change })), wanted));
}

const unknown = registration(OURS.key, null, true);
const SOURCES: readonly (readonly [what: string, change: Partial<DumpRecord>, wanted: readonly string[]])[] = [
  ["is registered and holds", {}, []],
  ["is not registered", { registrations: [OTHER] }, ["no ours"]],
  ["finds nobody registered", { registrations: [] }, ["no ours"]],
  ["cannot tell its own", { registrations: [unknown, registration(OTHER.key, null)] }, ["warning ours"]],
  [
    "cannot tell its own among those that share a key",
    { registrations: [unknown, registration(OURS.key, null)] },
    ["warning ours", "warning shared key"],
  ],
  ["shares its key", { registrations: [OURS, registration(OURS.key, false)] }, ["warning shared key"]],
  [
    "has paths under different keys",
    { registrations: [OURS, registration(OTHER.key, true)], multipath: "m" },
    ["no ours"],
  ],
  [
    "has registered one path of two",
    { registrations: [OURS], multipath: "m", paths: ["/dev/sdb", "/dev/sdc"] },
    ["warning paths"],
  ],
];
for (const [what, change, wanted] of SOURCES) {
  Deno.test(`check: the source ${what}`, () => {
    assert.deepEqual(amiss(sourceFindings({ ...GOOD, ...change })), wanted);
  });
}

Deno.test("check: the destination has the same LUN, another, or is registered already", () => {
  const there = { ...GOOD, device: "/dev/sdx", registrations: [registration(OURS.key, false, true), OTHER] };
  assert.deepEqual(amiss(destinationFindings(GOOD, there)), []);
  const otherLun = { ...there, lun: { ...there.lun, designator: "naa.other" } };
  assert.deepEqual(amiss(destinationFindings(GOOD, otherLun)), ["no same LUN"]);
  assert.deepEqual(amiss(destinationFindings(GOOD, { ...there, registrations: [OURS] })), ["no destination"]);
  const blind = { ...there, registrations: [registration(OURS.key, null, true)] };
  assert.deepEqual(amiss(destinationFindings(GOOD, blind)), ["warning destination"]);
});

Deno.test("check: every finding that is amiss and can be mended says how; the first obstacle gives the exit code", () => {
  for (const [, change] of [...LUNS, ...SOURCES]) {
    for (const finding of [...lunFindings({ ...GOOD, ...change }), ...sourceFindings({ ...GOOD, ...change })]) {
      if (finding.level === "no") assert.ok(finding.remedy && finding.kind, finding.says);
      assert.doesNotMatch(finding.says, /\.$/);
    }
  }
  const no = (kind: "device" | "refused"): Finding => ({ about: "", level: "no", says: "", remedy: "", kind });
  assert.deepEqual([exitCodeOf([]), exitCodeOf([no("refused"), no("device")]), exitCodeOf([no("device")])], [0, 3, 4]);
});

type Step = readonly [nexus: string, request: PrOutRequest];
const register = (nexus: string, sark: bigint): Step => [nexus, { action: "register", rk: 0n, sark, aptpl: true }];

/** A simulated LUN in a state; check must leave every byte of it as it was. */
async function withLun(
  steps: readonly Step[],
  run: (address: (nexus: string) => string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-check-" });
  const file = `${directory}/lun.json`;
  const address = (nexus: string): string => `sim:${file}?nexus=${nexus}`;
  try {
    await createSimLun(file, {
      identity: { serial: "0123456789abcdef", naa: "3123456789abcdef" },
      profile: PROFILES.spc4!,
    });
    for (const [name, request] of steps) {
      const nexus = await openSimNexus(address(name));
      assert.equal((await prOut(nexus, request)).status, 0);
      nexus.close();
    }
    await run(address);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

interface Told {
  readonly verdict: string;
  readonly findings: readonly Finding[];
}

async function checked(words: readonly string[]): Promise<Told & { code: number }> {
  const { code, stdout, stderr } = await prmig(["check", "--json", ...words]);
  assert.equal(stderr, "");
  return { code, ...JSON.parse(stdout) as Told };
}

Deno.test("prmig check: yes for one who holds, no for one who does not, and the generation stands still", () =>
  withLun(
    [register("A", 0xabcn), register("C", 0xdefn), ["A", { action: "reserve", rk: 0xabcn, type: 5 }]],
    async (at) => {
      const generation = async (): Promise<number> =>
        JSON.parse((await prmig(["dump", "--json", at("A")])).stdout).generation;
      const before = await generation();
      const yes = await checked([at("A"), "--", at("B")]);
      assert.deepEqual([yes.code, yes.verdict, amiss(yes.findings)], [0, "yes", []]);
      const no = await checked([at("B")]);
      assert.deepEqual([no.code, no.verdict, amiss(no.findings)], [3, "no", ["no ours"]]);
      const taken = await checked([at("A"), at("C")]);
      assert.deepEqual([taken.code, amiss(taken.findings)], [3, ["no destination"]]);
      assert.equal(await generation(), before);
    },
  ));

Deno.test("prmig check: the other side by a command", () =>
  withLun([register("A", 0xabcn)], async (at) => {
    const echo = `sh -c 'cat "$0"'`;
    const directory = await Deno.makeTempDir({ prefix: "prmig-check-" });
    try {
      const { stdout } = await prmig(["dump", "--json", at("B")]);
      await Deno.writeTextFile(`${directory}/dump.json`, stdout);
      const yes = await checked([at("A"), "--", `${echo} ${directory}/dump.json`]);
      assert.deepEqual([yes.code, yes.verdict], [0, "yes"]);
      await Deno.writeTextFile(`${directory}/dump.json`, "{}");
      for (
        const command of [`${echo} ${directory}/dump.json`, "sh -c 'echo no such host >&2; exit 255'", "echo nonsense"]
      ) {
        const no = await checked([at("A"), "--", command]);
        assert.deepEqual([no.code, amiss(no.findings)], [4, ["no readable"]], command);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }));

Deno.test("prmig check: for people the verdict comes first, and every obstacle says what to try", () =>
  withLun([register("A", 0xabcn)], async (at) => {
    const { code, stdout } = await prmig(["check", at("B")]);
    assert.equal(code, 3);
    assert.match(
      stdout,
      /^\S+: no, 1 finding stands in the way\n {2}no +ours +this host is not registered; another is\n +try: /,
    );
    assert.ok(stdout.split("\n").slice(1).every((line) => line.length <= 80), stdout);
    assert.match((await prmig(["check", at("A")])).stdout, /: yes, a hand-over can begin\n/);
  }));

Deno.test("prmig check: what cannot be looked at is a finding, wrong words are an error", async () => {
  const gone = await checked(["sim:/nonexistent/lun.json?nexus=A"]);
  assert.deepEqual([gone.code, amiss(gone.findings)], [4, ["no readable"]]);
  assert.equal((await prmig("check nonsense")).code, 2);
  assert.equal((await prmig("check")).code, 2);
});
