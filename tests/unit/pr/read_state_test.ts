import assert from "node:assert/strict";
import { BeWriter, concat } from "../../../lib/bytes.ts";
import { PrmigError } from "../../../lib/errors.ts";
import { encodeCapabilities } from "../../../lib/pr/capabilities.ts";
import { encodeFullStatus, type FullStatusEntry } from "../../../lib/pr/full_status.ts";
import { readCapabilities, readRegistrations, readState } from "../../../lib/pr/read_state.ts";
import { encodeReadKeys } from "../../../lib/pr/read_keys.ts";
import { encodeReadReservation } from "../../../lib/pr/read_reservation.ts";
import type { PrState, Reservation } from "../../../lib/pr/types.ts";
import {
  type Answer,
  conflict,
  type Exchange,
  exchange,
  FakeNexus,
  good,
  lostInTransport,
  senseOf,
  status,
} from "../../support/fake_nexus.ts";
import { loadVector } from "../../support/vectors.ts";

const K = 0x1122334455667788n;
const X = 0xa5a5000000000001n;
const SAS = { protocol: "sas", address: "500062b200c4e6f1" } as const;
const FC = { protocol: "fc", address: "2100001b329a1c07" } as const;

function fullStatus(answer: Answer, size = 8192): Exchange {
  const length = size.toString(16).padStart(4, "0");
  return exchange(`5e 03 00 00 00 00 00 ${length} 00`, answer, { allocationLength: size });
}
function readKeys(answer: Answer, size = 8192): Exchange {
  return exchange(`5e 00 00 00 00 00 00 ${size.toString(16).padStart(4, "0")} 00`, answer, { allocationLength: size });
}
function readReservation(answer: Answer): Exchange {
  return exchange("5e 01 00 00 00 00 00 00 18 00", answer, { allocationLength: 24 });
}
function whole(generation: number, ...registrations: FullStatusEntry[]): Answer {
  return good(encodeFullStatus({ generation, registrations }));
}
function held(generation: number, reservation: Reservation | null): Answer {
  return good(encodeReadReservation({ generation, reservation }));
}
function entry(key: bigint, type: number | null = null, port = 1): FullStatusEntry {
  const holds = type === null ? null : { scope: 0, type };
  return { key, holder: holds !== null, held: holds, relativeTargetPort: port, transportId: SAS };
}
async function state(...script: Exchange[]): Promise<PrState> {
  using nexus = new FakeNexus(script);
  return await readState(nexus);
}
async function failure(...script: Exchange[]): Promise<PrmigError> {
  using nexus = new FakeNexus(script, { address: "/dev/sg7" });
  try {
    await readState(nexus);
  } catch (error) {
    assert.ok(error instanceof PrmigError, `${error}`);
    return error;
  }
  throw new Error("readState() succeeded");
}

const NO_ACTION = senseOf(5, 0x24, 0);
const NO_COMMAND = senseOf(5, 0x20, 0);

Deno.test("readState() of V15 takes READ FULL STATUS and READ RESERVATION, no more", async () => {
  assert.deepEqual(
    await state(
      fullStatus(good(loadVector("full_status.hex", "V15"))),
      readReservation(held(0x11, { key: K, type: 5, scope: 0 })),
    ),
    {
      generation: 0x11,
      reservation: { key: K, type: 5, scope: 0 },
      registrations: [
        { key: K, holder: true, relativeTargetPort: 1, transportId: FC },
        { key: X, holder: false, relativeTargetPort: 2, transportId: SAS },
      ],
    },
  );
});

Deno.test("readState() of an empty LUN", async () => {
  assert.deepEqual(await state(fullStatus(whole(0)), readReservation(held(0, null))), {
    generation: 0,
    reservation: null,
    registrations: [],
  });
});

Deno.test("readState() of an all-registrants type: key 0, everybody holds", async () => {
  const seen = await state(
    fullStatus(whole(3, entry(K, 7), entry(X, 7))),
    readReservation(held(3, { key: 0n, type: 7, scope: 0 })),
  );
  assert.deepEqual(seen.reservation, { key: 0n, type: 7, scope: 0 });
  assert.deepEqual(seen.registrations.map(({ holder }) => holder), [true, true]);
});

Deno.test("readState() reads again when the generation moved in between", async () => {
  const seen = await state(
    fullStatus(whole(3, entry(K))),
    readReservation(held(4, null)),
    fullStatus(whole(4, entry(K), entry(X))),
    readReservation(held(4, null)),
  );
  assert.equal(seen.registrations.length, 2);
});

Deno.test("readState() gives up on a LUN that never stands still, after five tries", async () => {
  const tries = Array.from({ length: 5 }, (_, i) => [fullStatus(whole(i)), readReservation(held(i + 1, null))]).flat();
  const error = await failure(...tries);
  assert.equal(error.kind, "failed");
  assert.match(error.facts.lun, /only reads were sent/);
});

Deno.test("readState() reads again when a RESERVE came in between, which no generation counts", async () => {
  const reservation = { key: K, type: 5, scope: 0 };
  const seen = await state(
    fullStatus(whole(3, entry(K))),
    readReservation(held(3, reservation)),
    fullStatus(whole(3, entry(K, 5))),
    readReservation(held(3, reservation)),
  );
  assert.deepEqual([seen.reservation, seen.registrations[0]?.holder], [reservation, true]);
});

Deno.test("readState() shows a device that insists on contradicting itself as it is", async () => {
  const stale = { key: K, type: 7, scope: 0 }; // SCST: a holder's key where key 0 belongs
  const seen = await state(
    fullStatus(whole(3, entry(K, 7))),
    readReservation(held(3, stale)),
    fullStatus(whole(3, entry(K, 7))),
    readReservation(held(3, stale)),
  );
  assert.deepEqual(seen.reservation, stale);
});

/** `count` entries, every one 48 bytes: as many as fit 8 KiB is 170. */
function crowd(count: number): FullStatusEntry[] {
  return Array.from({ length: count }, (_, i) => entry(BigInt(i + 1), null, i + 1));
}

Deno.test("readState() asks for all of a cut READ FULL STATUS", async () => {
  const seen = await state(
    fullStatus(whole(1, ...crowd(400))), // 19208 bytes
    fullStatus(whole(1, ...crowd(400)), 19208 + 300),
    readReservation(held(1, null)),
  );
  assert.equal(seen.registrations.length, 400);
});

Deno.test("readState() distrusts a READ FULL STATUS that leaves no room for one more descriptor, as LIO hides the cut", async () => {
  const cut = whole(1, ...crowd(165)); // 7928 bytes: 264 unused
  const seen = await state(
    fullStatus(cut),
    fullStatus(whole(1, ...crowd(170)), 16384),
    readReservation(held(1, null)),
  );
  assert.equal(seen.registrations.length, 170);
  const fits = await state(fullStatus(whole(1, ...crowd(164))), readReservation(held(1, null)));
  assert.equal(fits.registrations.length, 164);
});

Deno.test("readState() goes by keys where READ FULL STATUS does not fit 64 KiB", async () => {
  const keys = Array.from({ length: 1400 }, (_, i) => BigInt(i + 1));
  const answer = whole(1, ...crowd(1400)); // 67208 bytes
  const seen = await state(
    fullStatus(answer),
    fullStatus(answer, 65535),
    readKeys(good(encodeReadKeys({ generation: 1, keys }))),
    readKeys(good(encodeReadKeys({ generation: 1, keys })), 16384),
    readReservation(held(1, null)),
  );
  assert.equal(seen.registrations.length, 1400);
  assert.equal(seen.registrations[0]?.transportId, null);
});

Deno.test("readState() goes by keys where a descriptor's length makes no sense, however large the buffer", async () => {
  const broken = loadVector("full_status.hex", "V15");
  broken.set([0x7f, 0xff, 0xff, 0xff], 28);
  const seen = await state(
    fullStatus(good(broken)),
    fullStatus(good(broken), 65535),
    readKeys(good(encodeReadKeys({ generation: 0x11, keys: [K, X] }))),
    readReservation(held(0x11, { key: K, type: 5, scope: 0 })),
  );
  assert.deepEqual(seen.registrations.map(({ holder }) => holder), [true, false]);
});

for (const [what, answer] of [["05/24/00", NO_ACTION], ["05/20/00", NO_COMMAND]] as const) {
  Deno.test(`readState() without READ FULL STATUS (${what}): by keys, nobody named`, async () => {
    const seen = await state(
      fullStatus(answer),
      readKeys(good(encodeReadKeys({ generation: 2, keys: [K, X] }))),
      readReservation(held(3, null)),
      readKeys(good(encodeReadKeys({ generation: 3, keys: [K, K, X] }))),
      readReservation(held(3, { key: K, type: 1, scope: 0 })),
    );
    assert.deepEqual(seen, {
      generation: 3,
      reservation: { key: K, type: 1, scope: 0 },
      registrations: [
        { key: K, holder: true, relativeTargetPort: null, transportId: null },
        { key: K, holder: true, relativeTargetPort: null, transportId: null },
        { key: X, holder: false, relativeTargetPort: null, transportId: null },
      ],
    });
  });
}

Deno.test("readState() by keys: everybody holds an all-registrants type", async () => {
  const seen = await state(
    fullStatus(NO_ACTION),
    readKeys(good(encodeReadKeys({ generation: 2, keys: [K, X] }))),
    readReservation(held(2, { key: 0n, type: 8, scope: 0 })),
  );
  assert.deepEqual(seen.registrations.map(({ holder }) => holder), [true, true]);
});

Deno.test("readState() by keys: a full buffer is read again, as older LIO hides the cut there too", async () => {
  const keys = Array.from({ length: 1023 }, (_, i) => BigInt(i + 1)); // exactly 8192 bytes
  const seen = await state(
    fullStatus(NO_ACTION),
    readKeys(good(encodeReadKeys({ generation: 1, keys }))),
    readKeys(good(encodeReadKeys({ generation: 1, keys: [...keys, 1024n] })), 16384),
    readReservation(held(1, null)),
  );
  assert.equal(seen.registrations.length, 1024);
});

Deno.test("readState() by keys: more keys than an answer can carry are an error, not a part of the truth", async () => {
  const keys = encodeReadKeys({ generation: 1, keys: Array.from({ length: 9000 }, (_, i) => BigInt(i + 1)) });
  const error = await failure(fullStatus(NO_ACTION), readKeys(good(keys)), readKeys(good(keys), 65535));
  assert.equal(error.kind, "device");
});

Deno.test("readState() of a device without persistent reservations", async () => {
  const error = await failure(fullStatus(NO_COMMAND), readKeys(NO_COMMAND));
  assert.equal(error.kind, "device");
  assert.equal(error.facts.device, "/dev/sg7");
  assert.equal(error.facts.command, "PERSISTENT RESERVE IN, READ KEYS");
  assert.equal(error.facts.status, "ILLEGAL REQUEST, Invalid command operation code (05/20/00)");
  assert.equal(error.facts.lun, "unchanged: only reads were sent");
  assert.match(error.message, /\/dev\/sg7.*no persistent reservations/);
});

const FAILURES: readonly (readonly [string, Answer, PrmigError["kind"], RegExp])[] = [
  ["an SPC-2 reservation", conflict(), "refused", /RESERVATION CONFLICT/],
  ["a device that stays busy", status(0x08), "failed", /BUSY/],
  ["a unit attention that does not go away", senseOf(6, 0x29, 0), "failed", /Power on/],
  ["a lost path", lostInTransport(0x01), "device", /NO_CONNECT/],
  ["02/08/00", senseOf(2, 0x08, 0), "device", /communication failure/],
  ["another refusal", senseOf(5, 0x25, 0), "device", /Logical unit not supported/],
];

for (const [what, answer, kind, words] of FAILURES) {
  Deno.test(`readState() that meets ${what}: ${kind}`, async () => {
    for (const script of [[fullStatus(answer)], [fullStatus(whole(1)), readReservation(answer)]]) {
      const error = await failure(...script);
      assert.equal(error.kind, kind);
      assert.match(error.message, words);
      assert.equal(error.facts.lun, "unchanged: only reads were sent");
      assert.ok(error.facts.remedy.length > 0);
    }
  });
}

Deno.test("readState() of answers that cannot be understood: device, and the decoder's reason", async () => {
  const short = await failure(fullStatus(good("00000001")));
  assert.equal(short.kind, "device");
  assert.match(short.message, /READ FULL STATUS answered what cannot be: ADDITIONAL LENGTH needs bytes 4 to 7/);
  const cut = await failure(fullStatus(whole(1)), readReservation(good("00000001 00000010 1122")));
  assert.match(cut.message, /READ RESERVATION .* 10 bytes arrived of 24/);
  const odd = await failure(fullStatus(NO_ACTION), readKeys(good("00000001 00000003 112233")));
  assert.match(odd.message, /3 is no multiple of 8/);
});

Deno.test("readRegistrations() is one command, the reservation taken from R_HOLDER", async () => {
  using one = new FakeNexus([fullStatus(whole(4, entry(X), entry(K, 5)))]);
  const seen = await readRegistrations(one);
  assert.deepEqual(seen.reservation, { key: K, type: 5, scope: 0 });
  assert.deepEqual(seen.registrations.map(({ key, holder }) => [key, holder]), [[X, false], [K, true]]);
  using all = new FakeNexus([fullStatus(whole(4, entry(K, 8)))]);
  assert.deepEqual((await readRegistrations(all)).reservation, { key: 0n, type: 8, scope: 0 });
  using none = new FakeNexus([fullStatus(whole(4, entry(K)))]);
  assert.equal((await readRegistrations(none)).reservation, null);
});

Deno.test("readCapabilities(): one command; null where the device has none to report", async () => {
  const report = "5e 02 00 00 00 00 00 00 08 00";
  using lio = new FakeNexus([exchange(report, good(loadVector("capabilities.hex", "V11")), { allocationLength: 8 })]);
  const capabilities = await readCapabilities(lio);
  assert.ok(capabilities);
  assert.deepEqual(encodeCapabilities(capabilities), loadVector("capabilities.hex", "V11"));
  for (const answer of [NO_ACTION, NO_COMMAND]) {
    using none = new FakeNexus([exchange(report, answer)]);
    assert.equal(await readCapabilities(none), null);
  }
  using cut = new FakeNexus([exchange(report, good("0008 1d"))]);
  await assert.rejects(readCapabilities(cut), { kind: "device", message: /3 bytes arrived of 8/ });
  using busy = new FakeNexus([exchange(report, status(0x08))]);
  await assert.rejects(readCapabilities(busy), { kind: "failed" });
});

Deno.test("readState() trusts ADDITIONAL LENGTH, not the size of a buffer handed back whole", async () => {
  const padded = concat(loadVector("full_status.hex", "V15"), new BeWriter(8192 - 104).bytes);
  const seen = await state(fullStatus(good(padded)), readReservation(held(0x11, { key: K, type: 5, scope: 0 })));
  assert.equal(seen.registrations.length, 2);
});
