/**
 * Hostile clients against a real server over real sockets: it stays up, serves the others, and leaks nothing.
 */
import assert from "node:assert/strict";
import { Helper } from "../../lib/snoop/helper.ts";
import { Metrics } from "../../lib/snoop/metrics.ts";
import { HelperServer } from "../../lib/snoop/server.ts";
import { closeFd, openFd } from "../../lib/sys/fd.ts";
import { listenAt, stopListening } from "../../lib/sys/unix_socket.ts";
import { dice } from "../support/dice.ts";
import { HelperClient } from "../support/helper_client.ts";
import { attack } from "../support/hostile_streams.ts";

const STREAMS = 20_000;
const READ_KEYS = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0);

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
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
    for (const until = Date.now() + 60_000; server.clients > 1 || server.running > 0; await turn()) {
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
