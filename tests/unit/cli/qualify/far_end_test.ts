/** The far end of `ssh:HOST:DEV`, its lines, and what it executes; where a nexus is, and what uses a LUN. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../../../lib/bytes.ts";
import { prInCdb, prOutCdb } from "../../../../lib/pr/cdb.ts";
import { ORDINARY_NAMES, ordinaryCommand } from "../../../../lib/qualify/ordinary.ts";
import { openSimNexus, readSimLun } from "../../../../lib/sim/open.ts";
import { contentsOf } from "../../../../lib/cli/qualify/contents.ts";
import { isPermitted } from "../../../../lib/cli/qualify/guard.ts";
import { parsePlace, relayCommand } from "../../../../lib/cli/qualify/place.ts";
import { useOf } from "../../../../lib/cli/qualify/use.ts";
import {
  decodeAnswer,
  decodeAsk,
  decodeGreeting,
  encodeAnswer,
  encodeAsk,
  encodeGreeting,
  NotOurs,
} from "../../../../lib/cli/qualify/wire.ts";
import { PrmigError } from "../../../../lib/errors.ts";
import { prmig } from "../../../support/cli_world.ts";
import { FakeSysfs } from "../../../support/fake_sysfs.ts";

const REGISTER = "5f000000000000001800";
const LIST = (key: string): string => `0000000000000000${key}0000000000000000`;

/** What the far end answers to these lines, its greeting first. */
async function relay(
  lines: readonly unknown[],
  words = "",
): Promise<{ code: number; said: unknown[]; keys: bigint[] }> {
  const directory = Deno.makeTempDirSync({ prefix: "prmig-relay-" });
  try {
    const file = `${directory}/lun.json`;
    const stdin = lines.map((line) => typeof line === "string" ? line : JSON.stringify(line) + "\n").join("");
    const { code, stdout } = await prmig(`qualify-relay sim:${file}?nexus=B&create ${words}`, { stdin });
    const said = stdout.trim().split("\n").map((line) => JSON.parse(line));
    return { code, said, keys: (await readSimLun(file)).registrations.map(({ key }) => key) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const ask = (id: number, more: Record<string, unknown>): unknown => ({ id, timeoutMs: 1000, ...more });

Deno.test("qualify-relay: executes what scenarios send, and takes back what was registered when its input ends", async () => {
  const { code, said, keys } = await relay([
    ask(1, { cdb: REGISTER, dataOut: LIST("70726d6700000001") }),
    ask(2, { cdb: "5e000000000000200000", room: 8192 }),
  ]);
  assert.deepEqual([code, keys], [0, []]);
  const [greeting, registered, read] = said as Record<string, unknown>[];
  assert.deepEqual([greeting!.prmigQualify, registered!.id, registered!.status], [1, 1, 0]);
  assert.equal(read!.dataIn, "0000000100000008" + "70726d6700000001");
});

Deno.test("qualify-relay: leaves a registration under another key, whoever made it", async () => {
  const { code, keys } = await relay([
    ask(1, { cdb: REGISTER, dataOut: LIST("70726d67deadbeef") }),
  ]);
  assert.deepEqual([code, keys], [0, [0x70726d67deadbeefn]]);
});

Deno.test("qualify-relay: refuses every other command, and goes on", async () => {
  const { code, said } = await relay([
    ask(1, { cdb: "2a000000000500000100", dataOut: "00".repeat(512) }),
    ask(2, { cdb: "040000000000", room: 0 }),
    ask(3, { cdb: "000000000000", room: 0 }),
  ]);
  const [, write, format, ready] = said as { failure?: { kind: string }; status?: number }[];
  assert.deepEqual([code, write!.failure?.kind, format!.failure?.kind, ready!.status], [0, "refused", "refused", 0]);
});

Deno.test("qualify-relay: a line that is no command ends it, and what was registered is taken back", async () => {
  for (const nonsense of ["hello\n", '{"id":1}\n', '{"id":0,"cdb":"000000000000","room":0,"timeoutMs":1}\n', "half"]) {
    const first = ask(1, { cdb: REGISTER, dataOut: LIST("70726d6700000002") });
    const { code, keys } = await relay([first, nonsense]);
    assert.notEqual(code, 0, nonsense);
    assert.deepEqual(keys, [], nonsense);
  }
});

Deno.test("isPermitted(): reservation commands, those of the scenarios, the first blocks; nothing else", () => {
  for (const name of ORDINARY_NAMES) assert.ok(isPermitted(ordinaryCommand(name, 512).cdb), name);
  assert.ok(isPermitted(prInCdb(0, 8)) && isPermitted(prOutCdb({ action: 0 })));
  const no = ["2a000000000200000100", "28000000010000000100", "040000000000", "3b000000000000000000", "5e00"];
  for (const cdb of no) assert.ok(!isPermitted(Uint8Array.from(cdb.match(/../g)!, (byte) => parseInt(byte, 16))), cdb);
});

Deno.test("the lines between the two ends: what is written is read, anything else is refused", () => {
  const bytes = fc.uint8Array({ maxLength: 64 });
  fc.assert(fc.property(fc.uint8Array({ minLength: 6, maxLength: 16 }), fc.oneof(bytes, fc.nat(8192)), (cdb, data) => {
    const read = decodeAsk(encodeAsk({ id: 7, cdb, data, timeoutMs: 5 }));
    assert.equal(toHex(read.cdb), toHex(cdb));
    assert.deepEqual(
      typeof read.data === "number" ? read.data : [...read.data],
      typeof data === "number" ? data : [...data],
    );
  }));
  const reply = { status: 2, sense: Uint8Array.of(0x70, 0, 6), dataIn: new Uint8Array(0) };
  assert.deepEqual(decodeAnswer(encodeAnswer({ id: 3, reply })), {
    id: 3,
    reply: { ...reply, hostStatus: 0, driverStatus: 0 },
  });
  const use = { users: ["sdb is mounted on /srv"], partitions: [], driver: "iscsi_tcp" };
  assert.deepEqual(decodeGreeting(encodeGreeting("/dev/sdb", { initiator: null, use })), { initiator: null, use });
  const failure = new PrmigError("device", { message: "m", lun: "l", remedy: "r" });
  assert.throws(() => decodeGreeting(encodeAnswer({ id: null, failure })), { kind: "device", message: "m" });
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    for (const decode of [decodeAsk, decodeAnswer, decodeGreeting]) assert.throws(() => decode(text), NotOurs);
  }));
});

Deno.test("parsePlace(): devices here and there; what ssh would take for an option is none", () => {
  const there = (word: string): unknown => {
    const place = parsePlace(word);
    return place.kind === "there" ? [place.host, place.device] : place.address;
  };
  assert.deepEqual(there("/dev/sdb"), "/dev/sdb");
  assert.deepEqual(there("ssh:dst:/dev/sdb"), ["dst", "/dev/sdb"]);
  assert.deepEqual(there("ssh:root@dst:sim:l.json?nexus=A"), ["root@dst", "sim:l.json?nexus=A"]);
  assert.deepEqual(there("ssh:root@[fe80::1]:/dev/sg3"), ["root@fe80::1", "/dev/sg3"]);
  for (const bad of ["ssh:dst", "ssh::/dev/sdb", "ssh:-x:/dev/sdb", "ssh:dst:-x", "ssh:dst:", "ssh:a:ssh:b:c"]) {
    assert.throws(() => parsePlace(bad), { kind: "usage" }, bad);
  }
});

Deno.test("relayCommand(): two shells later the words are the same, whatever is in them", async () => {
  const device = '/dev/it\'s; $(a) "b"';
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: [
      "-c",
      relayCommand('shift_host() { printf "%s|" "$1"; eval "set -- $2"; printf "%s" "$3"; }; shift_host', {
        host: "d'st",
        device,
      }),
    ],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), `d'st|${device}`);
});

Deno.test("contentsOf(): partition tables and file systems are known, blanks and our own blocks are not", () => {
  const lun = (at: number, magic: string): Uint8Array => {
    const bytes = new Uint8Array(68 * 1024);
    bytes.set(Uint8Array.from(magic, (character) => character.charCodeAt(0)), at);
    return bytes;
  };
  assert.equal(contentsOf(new Uint8Array(68 * 1024), 512), null);
  assert.equal(contentsOf(new Uint8Array(68 * 1024).fill(0x5a, 512, 1024), 512), null);
  assert.equal(contentsOf(lun(510, "\x55\xaa"), 512), "an MBR partition table or boot sector");
  assert.equal(contentsOf(lun(4096, "EFI PART"), 4096), "a GPT partition table");
  assert.equal(contentsOf(lun(512, "LABELONE"), 512), "a physical volume of LVM");
  assert.equal(contentsOf(lun(1080, "\x53\xef"), 512), "a file system (ext)");
  assert.equal(contentsOf(lun(0x10040, "_BHRfS_M"), 512), "a file system (btrfs)");
  assert.equal(contentsOf(new Uint8Array(0), 512), null);
});

Deno.test("useOf(): mounts, swap, volumes and partitions, through every path of the LUN; a multipath map is no user", () => {
  using host = new FakeSysfs();
  host.scsi({ hctl: "2:0:0:1", sg: "sg1", block: "sdb", blockMinor: 16 })
    .scsi({ hctl: "3:0:0:1", sg: "sg2", block: "sdc", blockMinor: 32 })
    .scsi({ hctl: "3:0:0:2", sg: "sg3", block: "sdd", blockMinor: 48 })
    .partition("sdc", "sdc1", 33)
    .file("class/scsi_host/host2/proc_name", "iscsi_tcp")
    .volume({ name: "data", uuid: "LVM-abc", minor: 0, slaves: ["sdc1"] })
    .volume({ name: "mpatha", uuid: "mpath-3600", minor: 1, slaves: ["sdb", "sdc"] });
  for (const [hctl, name] of [["2:0:0:1", "naa.1"], ["3:0:0:1", "naa.1"], ["3:0:0:2", "naa.2"]]) {
    host.file(`class/scsi_device/${hctl}/device/wwid`, name!);
  }
  const mounts = [
    "36 35 253:1 / /srv rw,noatime - xfs /dev/mapper/mpatha rw",
    "37 35 0:44 / /btrfs rw - btrfs /dev/sdb rw",
    "38 35 8:48 / /other rw - ext4 /dev/sdd rw",
  ].join("\n");
  const tables = { mounts, swaps: "Filename Type\n/dev/sdc1 partition 1 0 -2\n" };
  const { users, partitions, driver } = useOf("2:0:0:1", host, tables);
  assert.deepEqual([...new Set(users)].sort(), [
    "dm-1 is mounted on /srv",
    "sdb is mounted on /btrfs",
    "sdc1 is below dm-0 (data)",
    "sdc1 is swap space",
  ]);
  assert.deepEqual([partitions, driver], [["sdc1"], "iscsi_tcp"]);
  assert.deepEqual(useOf("3:0:0:2", host, { mounts: "", swaps: "" }).users, []);
});

Deno.test("qualify: a run that is under way on the LUN is not disturbed", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "prmig-qualify-" });
  try {
    const address = (name: string): string => `sim:${directory}/lun.json?nexus=${name}&create`;
    const worker = await openSimNexus(address("C"));
    let stop = false;
    const atWork = (async () => {
      for (let key = 1; !stop; key = 3 - key) {
        // REGISTER AND IGNORE EXISTING KEY under K1 and K2 in turn
        const list = Uint8Array.from(
          LIST(`70726d670000000${key}`).padEnd(48, "0").match(/../g)!,
          (hex) => parseInt(hex, 16),
        );
        await worker.execute(prOutCdb({ action: 6 }), list);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const { code, stderr } = await prmig(["qualify", address("A"), address("B")]);
    stop = true;
    await atWork;
    assert.equal(code, 3, stderr);
    assert.match(stderr, /somebody is playing the scenarios on it at this moment/);
    assert.equal((await readSimLun(`${directory}/lun.json`)).registrations.length, 1);
    worker.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
