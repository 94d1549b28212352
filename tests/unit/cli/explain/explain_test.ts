import assert from "node:assert/strict";
import { toHex } from "../../../../lib/bytes.ts";
import { KINDS } from "../../../../lib/cli/explain/kinds.ts";
import { KIND_NAMES } from "../../../../lib/cli/explain/values.ts";
import { prmig } from "../../../support/cli_world.ts";
import { loadVectors } from "../../../support/vectors.ts";

/** What `prmig explain --json` says of one argument. */
async function explained(text: string, ...options: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await prmig(["explain", "--json", ...options, text]);
  assert.deepEqual([code, stderr], [0, ""], `${text}: ${stderr}`);
  return JSON.parse(stdout);
}

Deno.test("explain: --as names exactly the kinds there are", () => {
  assert.deepEqual(KINDS.map(({ name }) => name), [...KIND_NAMES]);
});

const BY_LOOKS = [
  ["cdb_in.hex", "cdb"],
  ["read_keys.hex", "keys"],
  ["read_reservation.hex", "reservation"],
  ["capabilities.hex", "capabilities"],
  ["full_status.hex", "fullStatus"],
  ["sense.hex", "sense"],
  ["transport_id.hex", "transportId"],
] as const;
/** Vectors that cannot be told by their looks alone, with the reason. */
const NOT_BY_LOOKS: Readonly<Record<string, string>> = {
  "read_keys.hex V5": "no key: the same 8 bytes are READ RESERVATION data without a reservation",
  "read_keys.hex V7": "cut short: its length promises more than there is",
};
for (const [file, kind] of BY_LOOKS) {
  Deno.test(`explain knows the bytes of ${file} by their looks`, async () => {
    const seen: Record<string, unknown> = {};
    for (const [name, bytes] of loadVectors(file)) {
      if (`${file} ${name}` in NOT_BY_LOOKS) continue;
      seen[name] = (await explained(toHex(bytes))).kind;
    }
    assert.deepEqual(seen, Object.fromEntries(Object.keys(seen).map((name) => [name, kind])));
  });
}

Deno.test("explain reads a command block with the parameter list behind it", async () => {
  const vectors = loadVectors("pr_out.hex");
  let pairs = 0;
  for (const [name, cdb] of vectors) {
    const data = vectors.get(name.replace(" cdb", " data"));
    if (!name.endsWith(" cdb") || data === undefined) continue;
    const said = await explained(`${toHex(cdb)} ${toHex(data)}`);
    assert.equal(said.kind, "cdb");
    assert.notEqual(said.parameters, null, name);
    pairs++;
  }
  assert.ok(pairs >= 8, `${pairs} pairs`);
});

const WRITTEN = [
  ["bytes apart", "5f 04 05 00 00 00 00 00 18 00"],
  ["in one word", "5f040500000000001800"],
  ["as C has them", "0x5f, 0x04, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18, 0x00"],
  ["as a shell has them", "\\x5f\\x04\\x05\\x00\\x00\\x00\\x00\\x00\\x18\\x00"],
  ["padded to 16, as QEMU sends it", "5f04050000000000 1800000000000000"],
  ["xxd", "00000000: 5f04 0500 0000 0000 1800                 _........."],
  ["hexdump -C", "00000000  5f 04 05 00 00 00 00 00  18 00                    |_.........|\n0000000a"],
  ["kernel log", "[ 1.0] sd 0:0:1:0: [sda] tag#7 CDB: Persistent reserve out, preempt 5f 04 05 00 00 00 00 00 18 00"],
  ["older kernel log", "sd 0:0:1:0: [sda] CDB: Persistent reserve out: 5f 04 05 00 00 00 00 00 18 00"],
  ["sg_persist -v", "    Persistent reservation out cdb: 5f 04 05 00 00 00 00 00 18 00"],
  [
    "QEMU trace",
    "scsi_disk_new_request Command: lun=0 tag=0x1 data= 0x5f 0x04 0x05 0x00 0x00 0x00 0x00 0x00 0x18 0x00",
  ],
  [
    "trace",
    "sg_persist-150 [000] ..... 13.269972: scsi_dispatch_cmd_start: host_no=1 channel=0 id=1 lun=0 data_sgl=1 " +
    "driver_tag=643 cmnd=(PERSISTENT_RESERVE_OUT - raw=5f 04 05 00 00 00 00 00 18 00)",
  ],
] as const;
for (const [how, text] of WRITTEN) {
  Deno.test(`explain reads a PREEMPT written by ${how}`, async () => {
    const { kind, serviceAction, type } = await explained(text);
    assert.deepEqual({ kind, serviceAction, type }, { kind: "cdb", serviceAction: "PREEMPT", type: 5 });
  });
}

const LINES = [
  [
    "sg_persist-151 [000] ..... 13.405151: sd_ioctl: (sd_ioctl+0x0/0x1a0 [sd_mod]) cmd=0x2285 iid=83 clen=10 iov=0 " +
    "dlen=24 op=95 c0=0x5045f c8=0x18 rk=0x2004444bbbb3333 sk=0x1002222aaaa1111 d16=0x0",
    { event: "submitted", serviceAction: "PREEMPT", comm: "sg_persist", pid: 151 },
  ],
  [
    "iocpr-164 [000] ..... 15.585137: pr_reg: (sd_pr_register+0x0/0x40 [sd_mod]) rk=0x0 sk=0xaa00000000000001 flags=0x0",
    { kind: "submitted", rk: "0x0000000000000000", sark: "0xaa00000000000001" },
  ],
  [
    "kworker/0:1-17 [000] ..... 13.271330: scsi_dispatch_cmd_done: host_no=1 channel=0 id=1 lun=0 driver_tag=643 cmnd=(" +
    "PERSISTENT_RESERVE_OUT - raw=5f 01 05 00 00 00 00 00 18 00) result=(driver=DRIVER_OK host=DID_OK " +
    "message=COMMAND_COMPLETE status=SAM_STAT_RESERVATION_CONFLICT)",
    { event: "done", hctl: "1:0:1:0", status: 0x18, serviceAction: "RESERVE" },
  ],
  ["sd 1:0:1:0: reservation conflict", { kind: "status", status: 0x18, hctl: "1:0:1:0" }],
  ["sd 0:0:1:0: [sda] tag#790 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK", { kind: "result", host: "DID_OK" }],
  ["sd 0:0:1:0: [sda] Result: hostbyte=0x11 driverbyte=DRIVER_OK", { kind: "result", host: "DID_NEXUS_FAILURE" }],
  ["sd 0:0:1:0: [sda] tag#790 Sense Key : Unit Attention [current]", { kind: "senseKey", key: 6, disk: "sda" }],
  [
    "sd 0:0:1:0: [sda] tag#790 Add. Sense: Registrations preempted",
    { kind: "additionalSense", codes: [{ asc: 0x2a, ascq: 0x05, name: "Registrations preempted" }] },
  ],
  ["06/2a/05", { kind: "sense", code: "06/2A/05" }],
  ["0x123abc", { kind: "key", key: "0x0000000000123abc" }],
  ["18", { kind: "status", name: "RESERVATION CONFLICT" }],
  ["12 01 83 00 ff 00", { kind: "cdb", command: "INQUIRY, VPD page 83h" }],
] as const;
for (const [text, wanted] of LINES) {
  Deno.test(`explain: ${text.slice(0, 60)}`, async () => {
    const said = await explained(text);
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, said[name]])), wanted);
  });
}

Deno.test("explain: words that a shell has taken apart are put together", async () => {
  const { code, stdout } = await prmig("explain 5f 04 05 00 00 00 00 00 18 00");
  assert.equal(code, 0);
  assert.match(stdout, /^PERSISTENT RESERVE OUT, PREEMPT, type 5/);
});

Deno.test("explain: a one-time key is called one, and recover named", async () => {
  assert.match(JSON.stringify((await explained("0x70726d6700000001")).notes), /prmig recover/);
});

Deno.test("explain: bytes that could be something else say so, and --as decides", async () => {
  const empty = "0000000300000000";
  assert.deepEqual((await explained(empty)).couldAlsoBe, ["keys"]);
  assert.equal((await explained(empty, "--as", "keys")).kind, "keys");
  assert.equal((await explained(empty, "--as", "key")).kind, "key");
});

Deno.test("explain: stdin is a log; what is no SCSI is left out, each explanation under its line", async () => {
  const log = "eth0: link up\nsd 1:0:1:0: reservation conflict\nusb 1-1: new device\nsd 0:0:1:0: [sda] tag#1 CDB: " +
    "Persistent reserve out, clear 5f 03 00 00 00 00 00 00 18 00\n";
  for (const words of ["explain", "explain -"]) {
    const { code, stdout } = await prmig(words, { stdin: log });
    assert.equal(code, 0);
    assert.deepEqual(stdout.split("\n").filter((line) => /^\S/.test(line)), [
      "sd 1:0:1:0: reservation conflict",
      "status: RESERVATION CONFLICT",
      "sd 0:0:1:0: [sda] tag#1 CDB: Persistent reserve out, clear 5f 03 00 00 00 00 00 00 18 00",
      "PERSISTENT RESERVE OUT, CLEAR",
    ]);
  }
});

const NONSENSE = [
  ["", /nothing to explain|empty/],
  ["nonsense", /"nonsense" is neither hex nor a line/],
  ["123", /a key is written with 0x/],
  ["5f 0", /"0" has an odd number/],
  ["ab cd ef", /3 bytes that look like nothing/],
  ["usb 1-1: new device", /neither hex nor a line/],
  ["--as keys 00", /as READ KEYS data: PRGENERATION needs bytes/],
  ["--as sense 00", /cannot be sense data/],
  ["--as colour 00", /expected one of cdb, sense/],
] as const;
for (const [text, why] of NONSENSE) {
  Deno.test(`explain refuses "${text}" with exit 2 and a hint`, async () => {
    const options = text.startsWith("--as ") ? text.split(" ").slice(0, 2) : [];
    const { code, stdout, stderr } = await prmig(["explain", ...options, text.replace(/^--as \S+ /, "")]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, why);
    assert.match(stderr, /\nTry: prmig explain --help\n$/);
  });
}
