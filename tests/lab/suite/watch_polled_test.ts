/**
 * `prmig watch` without the kernel's events, as it sees what another host does: the LUN before and after, explained.
 */
import assert from "node:assert/strict";
import { lun, preempt, register, reserve, run } from "../support.ts";
import { commands, hexKey, startWatch, watchTest } from "../watching.ts";

const K = 0x123abcn;
const TRACING = "/sys/kernel/tracing";

watchTest("who was preempted by which key is told from two readings alone", async () => {
  const { A, B, C } = lun().nexuses;
  await run(["umount", TRACING]);
  try {
    const watching = await startWatch(["--poll", "200ms", C.sd]);
    await register(A, K);
    await reserve(A, K, 5);
    await register(B, K + 1n);
    await watching.until(
      "the holder and the newcomer",
      (now) => now.some(({ after }) => after?.key === hexKey(K) && after.registrations?.length === 2),
    );
    await preempt(B, K + 1n, K, 5);
    const told = await watching.until("the preemption", (now) => now.at(-1)?.after?.key === hexKey(K + 1n));
    assert.match(
      told.at(-1)!.note!,
      new RegExp(`${hexKey(K)} \\(.*\\) was preempted by ${hexKey(K + 1n)}; ${hexKey(K + 1n)} .* took WE-RO from`),
    );
    assert.deepEqual(commands(told), []);
    await watching.stop();
  } finally {
    await run(["mount", "-t", "tracefs", "tracefs", TRACING]);
  }
});
