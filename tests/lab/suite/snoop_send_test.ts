/**
 * `prmig send` goes by what `prmig snoop` has seen of the guest, and refuses when the LUN says that it is no longer so.
 */
import assert from "node:assert/strict";
import { NodeClient, type ServingHelper, startSnoop } from "../helpers.ts";
import { tracked } from "../snooping.ts";
import { labTest, lun, pipe, preempt, prmig, prmigCommand, readState, register } from "../support.ts";

const K = 0x123abcn, OTHER = 0xdef0n;
const REGISTER = 0, RESERVE = 1;

/** A guest behind nexus A registers K and reserves, seen by the helper. */
async function guestHolds(helper: ServingHelper): Promise<NodeClient> {
  const { designator, nexuses: { A } } = lun();
  const guest = await NodeClient.open(helper.socket, A.sd);
  assert.equal((await guest.prOut(REGISTER, 0n, K)).status, 0);
  assert.equal((await guest.prOut(RESERVE, K, 0n, 5)).status, 0);
  await tracked(K, 5, { designator, hctl: A.hctl });
  return guest;
}

labTest("send moves what was snooped; afterwards the memory is stale, and a second send is refused", async () => {
  const { A, B } = lun().nexuses;
  const helper = await startSnoop();
  try {
    using _guest = await guestHolds(helper);
    const { left, right } = pipe(prmigCommand(["send", A.sd]), prmigCommand(["recv", B.sd]));
    const [sent, received] = await Promise.all([left.finished, right.finished]);
    assert.deepEqual([sent.code, received.code], [0, 0], `${sent.stderr}\n${received.stderr}`);
    const moved = await readState(B);
    assert.deepEqual(moved.reservation, { key: K, type: 5 });
    assert.deepEqual(moved.registrants.map(({ initiatorPort }) => initiatorPort), [B.initiatorPort]);
    const again = await prmig(["send", A.sd]);
    assert.equal(again.code, 3, again.stderr);
    assert.match(
      again.stderr,
      /stale: snooped: registered under 0x0*123abc; the LUN does not have this nexus under it/,
    );
    assert.deepEqual(await readState(B), moved, "nothing was changed");
  } finally {
    await helper.stop();
  }
});

labTest(
  "send refuses, exit 3, what somebody has fenced or re-keyed since it was snooped, and says what changed",
  async () => {
    const { A, B } = lun().nexuses;
    const helper = await startSnoop();
    try {
      using _guest = await guestHolds(helper);
      await register(A, OTHER); // by another program of this host, on the guest's own nexus
      const rekeyed = await prmig(["send", A.sg]);
      assert.equal(rekeyed.code, 3, rekeyed.stderr);
      assert.match(rekeyed.stderr, /registered under 0x0*123abc; the LUN has this nexus under 0x0*def0/);
      await register(A, K);
      await register(B, OTHER);
      await preempt(B, OTHER, K, 5);
      const before = await readState(B);
      const fenced = await prmig(["send", "--json", A.sd]);
      assert.equal(fenced.code, 3, fenced.stderr);
      const { error } = JSON.parse(fenced.stderr.trim().split("\n").at(-1)!);
      assert.deepEqual([error.kind, /is stale/.test(error.message)], ["refused", true], fenced.stderr);
      assert.equal(fenced.stdout, "", "nothing was offered");
      assert.deepEqual(await readState(B), before, "nothing was changed");
    } finally {
      await helper.stop();
    }
  },
);
