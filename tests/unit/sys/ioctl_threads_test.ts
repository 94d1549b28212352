import assert from "node:assert/strict";
import { toHex } from "../../../lib/bytes.ts";
import { CALL_ARCHS, encodeElf } from "../../../lib/sys/call_elf.ts";
import { closeFd, O_RDONLY, openFd } from "../../../lib/sys/fd.ts";
import { IoctlThreads } from "../../../lib/sys/ioctl_threads.ts";
import { SERVE_CODE, SERVE_SYMBOL } from "../../../lib/sys/thread_elf.ts";

/** The comments of thread_elf.ts, fed to an assembler (GNU as 2.40, llvm-mc 14). */
const ASSEMBLED: Record<string, string> = {
  x86_64: "53554154" + "4883ec104189fc4889fd48c1ed2031c04489e74889e6ba080000000f05" +
    "4883f8087533488b1c24b8100000008bbb740100008bb3780100004889da0f" +
    "0589837c010000b80100000089ef4889e6ba080000000f05ebb84883c41041" +
    "5c5d5b31c0c3",
  aarch64: "fd7bbca9f35301a9f51300f9f303002a14fc60d3e8078052e003132ae1a30091" +
    "020180d2010000d41f2000f1c1010054f51740f9a8038052a07641b9a17a41b9" +
    "e20315aa010000d4a07e01b908088052e003142ae1a30091020180d2010000d4" +
    "edffff17f51340f9f35341a9fd7bc4a8000080d2c0035fd6",
};

for (const [name, code] of Object.entries(SERVE_CODE)) {
  Deno.test(`the threads' code for ${name} is what the assembler makes of its comments`, () => {
    assert.equal(toHex(Uint8Array.from(code)), ASSEMBLED[name]);
    assert.equal(encodeElf(CALL_ARCHS[name]!.machine, code, SERVE_SYMBOL).length, 608);
  });
}

/** FIONREAD: how many bytes can be read; the kernel puts an int at the argument. */
const FIONREAD = 0x541b;
const EBADF = 9, ENOTTY = 25;

/** Results of so many calls, by block. */
async function collected(threads: IoctlThreads, count: number): Promise<Map<number, number>> {
  const results = new Map<number, number>();
  for (const until = performance.now() + 60_000; results.size < count;) {
    assert.ok(performance.now() < until, `${results.size} of ${count} calls came back`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    threads.collect((block, result) => results.set(block, result));
  }
  return results;
}

Deno.test("IoctlThreads: each call gets its own result, or -errno, many at a time, again and again", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(321));
  const [file, nothing] = [await openFd(path, O_RDONLY), await openFd("/dev/null", O_RDONLY)];
  const threads = new IoctlThreads(40, 400);
  try {
    for (let round = 0; round < 50; round++) {
      for (let block = 0; block < 40; block++) threads.submit(block, [file, nothing, 999_999][block % 3]!, FIONREAD);
      assert.equal(threads.underWay, 40);
      const results = await collected(threads, 40);
      for (const [block, result] of results) {
        assert.equal(result, [0, -ENOTTY, -EBADF][block % 3], `block ${block}`);
        if (block % 3 > 0) continue;
        const view = new DataView(threads.arena.buffer, block * threads.stride);
        assert.equal(view.getInt32(0, true), 321);
        view.setInt32(0, 0, true);
      }
      assert.equal(threads.underWay, 0);
    }
    assert.ok(threads.threads >= 1 && threads.threads <= 40, `${threads.threads} threads`);
  } finally {
    threads.close();
    closeFd(file);
    closeFd(nothing);
    await Deno.remove(path);
  }
});

Deno.test("IoctlThreads: closing ends its threads and gives every descriptor back", async () => {
  const count = (what: string): number => [...Deno.readDirSync(`/proc/self/${what}`)].length;
  const nothing = await openFd("/dev/null", O_RDONLY);
  const [descriptors, tasks] = [count("fd"), count("task")];
  const threads = new IoctlThreads(4, 400);
  for (let block = 0; block < 4; block++) threads.submit(block, nothing, FIONREAD);
  await collected(threads, 4);
  assert.ok(count("task") > tasks);
  threads.close();
  threads.close();
  assert.equal(count("fd"), descriptors);
  assert.ok(count("task") <= tasks, "no thread is left");
  closeFd(nothing);
});
