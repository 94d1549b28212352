import assert from "node:assert/strict";
import { toHex } from "../../../lib/bytes.ts";
import type { CallMemory } from "../../../lib/sys/call_memory.ts";
import { CallThreads } from "../../../lib/sys/call_threads.ts";
import { closeFd, O_RDONLY, openFd } from "../../../lib/sys/fd.ts";
import { thisArch, THREAD_ARCHS } from "../../../lib/sys/thread_code.ts";

/** The comments of thread_code.ts, fed to an assembler (GNU as 2.40, llvm-mc 14). */
const ASSEMBLED: Record<string, string> = {
  x86_64: "535541544883ec104189fc4889fd48c1ed20" + "31c04489e74889e6ba080000000f05" +
    "4883f808752e488b1c248b03488b7b08488b7310488b53184c8b53200f05894304" +
    "b80100000089ef4889e6ba080000000f05ebbd4883c410415c5d5b31c0c3",
  aarch64: "fd7bbca9f35301a9f51300f9f303002a14fc60d3e8078052e003132ae1a3009102" +
    "0180d2010000d41f2000f1a1010054f51740f9a80240b9a08640a9a28e41a90100" +
    "00d4a00600b908088052e003142ae1a30091020180d2010000d4eeffff17f51340" +
    "f9f35341a9fd7bc4a8000080d2c0035fd6",
};

for (const [name, { code }] of Object.entries(THREAD_ARCHS)) {
  Deno.test(`the threads' code for ${name} is what the assembler makes of its comments`, () => {
    assert.equal(toHex(Uint8Array.from(code)), ASSEMBLED[name]);
  });
}

/** FIONREAD: how many bytes can be read; the kernel puts an int at the argument. */
const FIONREAD = 0x541b;
const EBADF = 9, ENOTTY = 25;

function fionread(fd: number): (memory: CallMemory) => void {
  return (memory) => memory.call(thisArch().nr.ioctl, fd, FIONREAD, memory.address);
}

/** What some calls give, collected by and by. */
async function collected<T>(threads: CallThreads, calls: readonly Promise<T>[]): Promise<T[]> {
  let over = false;
  const all = Promise.all(calls).finally(() => over = true);
  for (const until = performance.now() + 60_000; !over;) {
    assert.ok(performance.now() < until, `${threads.underWay} calls did not come back`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    threads.collect();
  }
  return await all;
}

async function withThreads(places: number, body: (threads: CallThreads) => Promise<void>): Promise<void> {
  const threads = new CallThreads(places, 400);
  try {
    await body(threads);
  } finally {
    threads.close();
  }
}

Deno.test("CallThreads: each call gets its own result, or -errno, many at a time, again and again", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(321));
  const [file, nothing] = [await openFd(path, O_RDONLY), await openFd("/dev/null", O_RDONLY)];
  try {
    await withThreads(40, async (threads) => {
      for (let round = 0; round < 50; round++) {
        const calls = Array.from({ length: 100 }, (_, i) =>
          threads.run(4, (memory) => {
            memory.bytes.fill(0xee, 0, 8);
            fionread([file, nothing, 999_999][i % 3]!)(memory);
          }, (result, { bytes }) => [result, toHex(bytes.subarray(0, 8))]));
        assert.equal(threads.underWay, 40, "the others wait");
        const results = await collected(threads, calls);
        const [read, untouched] = ["41010000eeeeeeee", "ee".repeat(8)];
        const expected = [[0, read], [-ENOTTY, untouched], [-EBADF, untouched]];
        assert.deepEqual(results, results.map((_, i) => expected[i % 3]));
        assert.equal(threads.underWay, 0);
      }
      assert.ok(threads.threads >= 1 && threads.threads <= 40, `${threads.threads} threads`);
    });
  } finally {
    closeFd(file);
    closeFd(nothing);
    await Deno.remove(path);
  }
});

Deno.test("CallThreads: a call that needs more than a place has gets memory of its own, and gives it back", async () => {
  const path = await Deno.makeTempFile();
  const file = await openFd(path, O_RDONLY);
  const mapped = (): number => Number(/VmSize:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
  try {
    await withThreads(2, async (threads) => {
      const large = (): Promise<number | null> =>
        threads.run(8 << 20, (memory) => {
          assert.equal(memory.bytes.length, 8 << 20);
          fionread(file)(memory);
        }, (result, { number }) => result === 0 ? number : result);
      await collected(threads, [large(), large()]);
      const before = mapped();
      for (let i = 0; i < 20; i++) {
        assert.deepEqual(await collected(threads, [large(), large(), large()]), [null, null, null]);
      }
      assert.ok(mapped() - before < 100_000, `${mapped() - before} KiB more than before`);
    });
  } finally {
    closeFd(file);
    await Deno.remove(path);
  }
});

Deno.test("CallThreads: what begin or end throws, the call rejects with; the place is the next one's", async () => {
  await withThreads(1, async (threads) => {
    const fail = (text: string) => (): never => {
      throw new RangeError(text);
    };
    const calls = [
      threads.run(4, fail("never begun"), () => 0),
      threads.run(4, fionread(999_999), fail("not understood")),
      threads.run(4, fionread(999_999), (result) => result),
    ];
    const many = Array.from({ length: 20_000 }, () => threads.run(4, fail("closed"), () => 0));
    const ends = collected(threads, [...calls, ...many].map((call) => call.catch((error: Error) => error.message)));
    assert.deepEqual(await ends, ["never begun", "not understood", -EBADF, ...many.map(() => "closed")]);
  });
});

Deno.test("CallThreads: closing ends its threads and gives every descriptor back", async () => {
  const count = (what: string): number => [...Deno.readDirSync(`/proc/self/${what}`)].length;
  const nothing = await openFd("/dev/null", O_RDONLY);
  const [descriptors, tasks] = [count("fd"), count("task")];
  const threads = new CallThreads(4, 400);
  await collected(threads, Array.from({ length: 4 }, () => threads.run(4, fionread(nothing), (result) => result)));
  assert.ok(count("task") > tasks);
  threads.close();
  threads.close();
  assert.equal(count("fd"), descriptors);
  assert.ok(count("task") <= tasks, "no thread is left");
  closeFd(nothing);
});
