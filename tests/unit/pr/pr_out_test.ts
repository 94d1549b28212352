import assert from "node:assert/strict";
import { fromHex, ShortBuffer } from "../../../lib/bytes.ts";
import { decodePrCdb, PR_OUT_ACTION, prOutAction } from "../../../lib/pr/cdb.ts";
import { prOutCommand, type PrOutRequest } from "../../../lib/pr/commands.ts";
import { Malformed } from "../../../lib/pr/malformed.ts";
import { decodePrOut, encodePrOut, encodeRegisterAndMove } from "../../../lib/pr/pr_out.ts";
import { loadVector } from "../../support/vectors.ts";

const K = 0x1122334455667788n;
const X = 0xa5a5000000000001n;
const Y = 0xd5d5000000000002n;
const FC = { protocol: "fc", address: "2100001b329a1c07" } as const;
const SAS = { protocol: "sas", address: "500062b200c4e6f1" } as const;
const ISCSI = { protocol: "iscsi", address: "iqn.1994-05.com.redhat:dst,i,0x00023d000001" } as const;

const REQUESTS: readonly (readonly [string, PrOutRequest])[] = [
  ["V17", { action: "register", rk: 0n, sark: K, aptpl: true }],
  ["V18", { action: "register", rk: K, sark: X, aptpl: true }],
  ["V19", { action: "register", rk: K, sark: 0n, aptpl: false }],
  ["V20", { action: "registerAndIgnore", sark: Y, aptpl: true }],
  ["V21", { action: "registerAndIgnore", sark: Y, aptpl: false, allTgPt: true }],
  ["V22", { action: "reserve", rk: K, type: 5 }],
  ["V23", { action: "reserve", rk: K, type: 8 }],
  ["V24", { action: "release", rk: K, type: 5 }],
  ["V25", { action: "clear", rk: K }],
  ["V26", { action: "preempt", rk: Y, sark: X, type: 5 }],
  ["V27", { action: "preemptAndAbort", rk: Y, sark: K, type: 3 }],
  ["V28", { action: "preempt", rk: Y, sark: 0n, type: 7 }],
  ["V29", { action: "preempt", rk: K, sark: K, type: 5 }],
  ["V30", { action: "preempt", rk: K, sark: K, type: 0 }],
  ["V31", { action: "register", rk: 0n, sark: K, aptpl: true, specIPt: [SAS] }],
  ["V32", {
    action: "registerAndMove",
    rk: K,
    sark: K,
    unreg: true,
    aptpl: true,
    relativeTargetPort: 2,
    transportId: FC,
  }],
  ["V33", {
    action: "registerAndMove",
    rk: K,
    sark: Y,
    unreg: false,
    aptpl: false,
    relativeTargetPort: 1,
    transportId: ISCSI,
  }],
  ["V34", { action: "replaceLost", sark: K, type: 1, aptpl: false }],
  ["V35", { action: "register", rk: K, sark: X, aptpl: false }],
];

for (const [name, request] of REQUESTS) {
  Deno.test(`${name}: ${request.action} encodes and decodes byte for byte`, () => {
    const cdb = loadVector("pr_out.hex", `${name} cdb`);
    const data = loadVector("pr_out.hex", `${name} data`);
    assert.deepEqual(prOutCommand(request), { cdb, data });
    const said = decodePrCdb(cdb);
    assert.ok(said.kind === "out");
    assert.equal(prOutAction(said.action), request.action);
    assert.equal(said.type, request.type ?? 0);
    assert.equal(said.parameterListLength, data.length);
    const { rk = 0n, sark = 0n, aptpl = false } = request;
    const rest = request.action === "registerAndMove"
      ? {
        kind: "move",
        unreg: request.unreg,
        relativeTargetPort: request.relativeTargetPort,
        transportId: request.transportId,
      }
      : { kind: "basic", allTgPt: request.allTgPt ?? false, specIPt: request.specIPt ?? null };
    assert.deepEqual(decodePrOut(said.action, data), { rk, sark, aptpl, ...rest });
  });
}

Deno.test("decodePrOut() of a cut parameter list: a typed error at every byte", () => {
  for (const name of ["V17", "V31", "V32", "V33"]) {
    const whole = loadVector("pr_out.hex", `${name} data`);
    const action = loadVector("pr_out.hex", `${name} cdb`)[1]!;
    for (let cut = 0; cut < whole.length; cut++) {
      const typed = (error: Error): boolean => error instanceof ShortBuffer || error instanceof Malformed;
      assert.throws(() => decodePrOut(action, whole.subarray(0, cut)), typed, `${name} cut at ${cut}`);
    }
  }
});

const BAD_LENGTHS = [
  ["25 bytes without SPEC_I_PT", "V17", (hex: string) => hex + "00", "PARAMETER LIST LENGTH"],
  ["SPEC_I_PT whose list is longer than announced", "V31", (hex: string) => hex + "00", "PARAMETER LIST LENGTH"],
  ["a TransportID longer than announced", "V32", (hex: string) => hex + "00", "PARAMETER LIST LENGTH"],
  [
    "a TransportID of another size than announced",
    "V33",
    (hex: string) => hex.replace("4500002c", "45000028"),
    "TRANSPORTID LENGTH",
  ],
  [
    "an iSCSI TransportID of impossible size",
    "V33",
    (hex: string) => hex.replace("4500002c", "4500002b"),
    "ADDITIONAL LENGTH",
  ],
] as const;

for (const [what, name, spoil, field] of BAD_LENGTHS) {
  Deno.test(`decodePrOut() refuses ${what}`, () => {
    const hex = Array.from(loadVector("pr_out.hex", `${name} data`), (b) => b.toString(16).padStart(2, "0")).join("");
    const action = loadVector("pr_out.hex", `${name} cdb`)[1]!;
    assert.throws(() => decodePrOut(action, fromHex(spoil(hex))), { name: "Malformed", field });
  });
}

Deno.test("decodePrOut() of SPEC_I_PT cutting a TransportID: ShortBuffer", () => {
  const bytes = loadVector("pr_out.hex", "V31 data").slice(0, 48);
  bytes[27] = 20;
  assert.throws(() => decodePrOut(PR_OUT_ACTION.register, bytes), ShortBuffer);
});

Deno.test("decodePrOut() shows a stray SPEC_I_PT bit of 24 bytes where only the bit is wrong", () => {
  const bytes = encodePrOut({ rk: K, sark: 0n });
  bytes[20] = 0x08;
  const said = decodePrOut(PR_OUT_ACTION.reserve, bytes);
  assert.deepEqual(said.kind === "basic" && said.specIPt, []);
  assert.throws(() => decodePrOut(PR_OUT_ACTION.register, bytes), ShortBuffer);
});

Deno.test("decodePrOut() reads no flags from byte 20 of REGISTER AND MOVE", () => {
  const bytes = loadVector("pr_out.hex", "V33 data");
  bytes[20] = 0x01; // the top byte of a length, not APTPL
  assert.throws(() => decodePrOut(PR_OUT_ACTION.registerAndMove, bytes), { field: "PARAMETER LIST LENGTH" });
  bytes[20] = 0;
  assert.equal(decodePrOut(PR_OUT_ACTION.registerAndMove, bytes).aptpl, false);
});

Deno.test("encoders refuse what does not fit, and what would not read back", () => {
  assert.throws(() => encodePrOut({ rk: -1n, sark: 0n }), RangeError);
  assert.throws(() => encodePrOut({ rk: 0n, sark: 1n << 64n }), RangeError);
  const move = { rk: K, sark: Y, unreg: false, aptpl: false, relativeTargetPort: 1, transportId: SAS };
  assert.throws(() => encodeRegisterAndMove({ ...move, relativeTargetPort: 65536 }), RangeError);
  const odd = { protocol: "unknown", address: "09".padEnd(46, "0") } as const; // 23 bytes: no TransportID has that size
  assert.throws(() => encodeRegisterAndMove({ ...move, transportId: odd }), ShortBuffer);
  const disguised = { protocol: "unknown", address: "06".padEnd(48, "0") } as const;
  assert.throws(() => encodeRegisterAndMove({ ...move, transportId: disguised }), { name: "ReadBackError" });
});
