/**
 * Hostile clients against a real server over real sockets: it stays up, serves the others, and leaks nothing.
 */
import assert from "node:assert/strict";
import { Helper } from "../../lib/snoop/helper.ts";
import { Metrics } from "../../lib/snoop/metrics.ts";
import { HelperServer } from "../../lib/snoop/server.ts";
import { SysError } from "../../lib/sys/errno.ts";
import { closeFd, openFd } from "../../lib/sys/fd.ts";
import { sendWithDescriptors } from "../../lib/sys/message.ts";
import { connectTo, listenAt, stopListening } from "../../lib/sys/unix_socket.ts";
import { HelperClient } from "../support/helper_client.ts";

const STREAMS = 20_000;
const READ_KEYS = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0);

function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 0x1_0000_0000 * below);
  };
}

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A stream that begins well more often than not, and may end anywhere. */
function pieces(
  roll: (below: number) => number,
  descriptors: readonly number[],
): [Uint8Array<ArrayBuffer>, number[]][] {
  const list: [Uint8Array<ArrayBuffer>, number[]][] = [];
  if (roll(8) > 0) list.push([new Uint8Array(4), []]);
  for (let count = roll(4); count >= 0; count--) {
    const size = [16, 16, 16, 24, 40, 1 + roll(60)][roll(6)]!;
    const head = [roll(5) ? 0x5e + roll(2) : roll(256), roll(10), roll(16), 0, 0, 0, 0, roll(30) ? 0 : roll(256)];
    const sensible = [...head, [0, 8, 24, 255][roll(4)]!];
    const noise = roll(3) === 0;
    const bytes = Uint8Array.from({ length: size }, (_, i) => noise ? roll(256) : sensible[i] ?? 0);
    list.push([
      bytes,
      Array.from({ length: [1, 1, 1, 0, 2, 12][roll(6)]! }, () => descriptors[roll(descriptors.length)]!),
    ]);
  }
  return list;
}

/** Throws a stream at the server and leaves, with or without waiting for whatever comes. */
async function attack(path: string, roll: (below: number) => number, descriptors: readonly number[]): Promise<void> {
  let socket: number;
  try {
    socket = connectTo(path);
  } catch (error) {
    if (error instanceof SysError && error.code === "EAGAIN") return await turn(); // the queue is full of us
    throw error;
  }
  try {
    for (const [bytes, sent] of pieces(roll, descriptors)) {
      sendWithDescriptors(socket, bytes, sent);
      if (roll(4) === 0) await turn();
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // EPIPE, ECONNRESET: thrown out, as it should be
  } finally {
    closeFd(socket);
  }
}

Deno.test(`${STREAMS} random streams: served all the while, no descriptor and no memory leaked`, async () => {
  const directory = Deno.makeTempDirSync({ prefix: "prmig-" });
  Deno.mkdirSync(`${directory}/luns`);
  const path = `${directory}/helper.sock`;
  const metrics = new Metrics();
  const defects: unknown[] = [];
  const helper = new Helper({
    runDirectory: directory,
    mask: true,
    timeoutMs: 1000,
    metrics,
    log: ({ level, message }) => level === "error" && defects.push(message),
    event: () => {},
  });
  const listener = await listenAt(path, 0o600);
  const server = new HelperServer(listener, helper.hooks(), 500);
  const served = server.run();
  const descriptors = await Promise.all([
    openFd("/dev/null", 2),
    openFd("/dev/zero", 0),
    openFd(directory, 0),
    openFd("/proc/self/stat", 0),
  ]);
  const roll = dice(20_000);
  const before = openDescriptors();
  let rssAtHalf = 0;
  using honest = await HelperClient.greeted(path);
  try {
    for (let done = 0; done < STREAMS;) {
      const batch = Math.min(100, STREAMS - done);
      await Promise.all(Array.from({ length: batch }, () => attack(path, roll, descriptors)));
      done += batch;
      if (done % 1000 === 0) {
        assert.equal((await honest.command(READ_KEYS, descriptors[0]!)).sense[13], 6, "ENOTTY is 0B/00/06");
      }
      if (done === STREAMS / 2) rssAtHalf = Deno.memoryUsage().rss;
    }
    for (const until = Date.now() + 5000; server.clients > 1 || server.running > 0; await turn()) {
      assert.ok(Date.now() < until, `${server.clients} clients are left, ${server.running} commands run`);
    }
    assert.equal(openDescriptors(), before + 2, "the honest client's two ends, and nothing else");
    assert.ok(Deno.memoryUsage().rss - rssAtHalf < 30e6, "memory grows");
    assert.deepEqual(defects, []);
    assert.ok(metrics.total("commands") > STREAMS / 20, `only ${metrics.total("commands")} streams came to a command`);
    assert.ok(server.accepted > STREAMS * 0.9);
  } finally {
    honest.close();
    server.stop();
    await served;
    await helper.book.flush();
    await stopListening(listener);
    descriptors.forEach(closeFd);
    Deno.removeSync(directory, { recursive: true });
  }
});
