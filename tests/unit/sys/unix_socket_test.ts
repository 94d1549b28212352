import assert from "node:assert/strict";
import { SysError } from "../../../lib/sys/errno.ts";
import { closeFd, openFd } from "../../../lib/sys/fd.ts";
import { fdFacts, isReadOnly } from "../../../lib/sys/fd_facts.ts";
import { Receiver, sendNow, sendWithDescriptors } from "../../../lib/sys/message.ts";
import { Epoll } from "../../../lib/sys/epoll.ts";
import { FIRST_LISTEN_FD, listenFds, notify } from "../../../lib/sys/systemd.ts";
import {
  accept,
  adoptListener,
  connectTo,
  listenAt,
  NoSocket,
  peerOf,
  SocketInUse,
  socketPair,
  stopListening,
} from "../../../lib/sys/unix_socket.ts";
import { Datagrams } from "../../support/datagrams.ts";

async function directory(test: (path: string) => Promise<void>): Promise<void> {
  const path = Deno.makeTempDirSync({ prefix: "prmig-" });
  try {
    await test(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

Deno.test("listenAt(): mode as asked whatever the umask, no temporary file left, gone after stopListening()", async () => {
  await directory(async (path) => {
    const listener = await listenAt(`${path}/s`, 0o660);
    assert.equal(Deno.lstatSync(`${path}/s`).mode! & 0o777, 0o660);
    assert.deepEqual([...Deno.readDirSync(path)].map(({ name }) => name), ["s"]);
    assert.equal(accept(listener.fd), null);
    const client = connectTo(`${path}/s`);
    const served = accept(listener.fd)!;
    assert.deepEqual(peerOf(served), { pid: Deno.pid, uid: Deno.uid(), gid: Deno.gid() });
    [client, served].forEach(closeFd);
    assert.equal(await stopListening(listener), true);
    assert.deepEqual([...Deno.readDirSync(path)], []);
  });
});

Deno.test("listenAt(): a live socket is left alone, a dead one replaced, what is no socket refused", async () => {
  await directory(async (path) => {
    const first = await listenAt(`${path}/s`, 0o600);
    await assert.rejects(listenAt(`${path}/s`, 0o600), SocketInUse);
    closeFd(first.fd); // dead now, its file still there
    const second = await listenAt(`${path}/s`, 0o600);
    assert.notEqual(second.file, first.file);
    assert.equal(await stopListening({ ...second, file: first.file }), true);
    assert.ok(Deno.lstatSync(`${path}/s`), "another instance's socket is not unlinked");
    Deno.writeTextFileSync(`${path}/f`, "precious");
    await assert.rejects(listenAt(`${path}/f`, 0o600), NoSocket);
    assert.equal(Deno.readTextFileSync(`${path}/f`), "precious");
  });
});

Deno.test("listenAt(): a socket of which nobody can tell whether it is served is left alone, and the error says why", async () => {
  await directory(async (path) => {
    const datagrams = new Datagrams(`${path}/d`);
    await assert.rejects(listenAt(`${path}/d`, 0o600), { call: "connect", code: "EPROTOTYPE" });
    datagrams[Symbol.dispose]();
    assert.deepEqual([...Deno.readDirSync(path)].map(({ name }) => name), ["d"]);
  });
});

Deno.test("listenAt(): impossible paths", async () => {
  await assert.rejects(listenAt("relative", 0o600), RangeError);
  await assert.rejects(listenAt(`/tmp/${"x".repeat(120)}`, 0o600), RangeError);
  await assert.rejects(listenAt("/no/such/directory/s", 0o600), SysError);
});

Deno.test("adoptListener() takes a listening Unix socket and nothing else", async () => {
  await directory(async (path) => {
    const listener = await listenAt(`${path}/s`, 0o600);
    assert.equal(adoptListener(listener.fd).fd, listener.fd);
    const [a, b] = socketPair();
    const file = await openFd("/dev/null", 0);
    for (const fd of [a, b, file, 9999]) assert.throws(() => adoptListener(fd), RangeError);
    [a, b, file].forEach(closeFd);
    await stopListening(listener);
  });
});

Deno.test("descriptors travel, close-on-exec, counted; too many are told and closed by the kernel", async () => {
  const receiver = new Receiver(64);
  const [a, b] = socketPair();
  const fd = await openFd("/dev/zero", 0);
  assert.deepEqual(receiver.receive(b, 4, true), { kind: "nothingYet" });
  sendWithDescriptors(a, Uint8Array.of(1, 2, 3, 4), [fd, fd]);
  const got = receiver.receive(b, 3, true);
  assert.ok(got.kind === "data");
  assert.deepEqual([[...got.bytes], got.descriptors.length, got.surplus], [[1, 2, 3], 2, false]);
  assert.equal(fdFacts(got.descriptors[0]!).devno, "1:5");
  assert.equal(isReadOnly(got.descriptors[0]!), true);
  got.descriptors.forEach(closeFd);
  const rest = receiver.receive(b, 64, true);
  assert.ok(rest.kind === "data" && rest.bytes.length === 1 && rest.descriptors.length === 0);
  sendWithDescriptors(a, Uint8Array.of(9), Array(20).fill(fd));
  const many = receiver.receive(b, 64, true);
  assert.ok(many.kind === "data" && many.surplus && many.descriptors.length === 8);
  many.descriptors.forEach(closeFd);
  sendWithDescriptors(a, Uint8Array.of(9), [fd]);
  const unwanted = receiver.receive(b, 64, false);
  assert.ok(unwanted.kind === "data" && unwanted.descriptors.length === 0 && !unwanted.surplus);
  closeFd(a);
  assert.deepEqual(receiver.receive(b, 64, true), { kind: "end" });
  assert.throws(() => sendNow(b, Uint8Array.of(1)), (error: SysError) => error.code === "EPIPE");
  [b, fd].forEach(closeFd);
});

Deno.test("Epoll: the bell ends a wait; readiness and hang-up are told once", async () => {
  const epoll = new Epoll();
  const [a, b] = socketPair();
  epoll.add(b);
  const waiting = epoll.wait();
  assert.throws(() => epoll.close(), RangeError);
  epoll.ring();
  assert.deepEqual(await waiting, []);
  sendNow(a, Uint8Array.of(1));
  assert.deepEqual((await epoll.wait()).map(({ fd, readable }) => [fd, readable]), [[b, true]]);
  assert.deepEqual(epoll.poll(), [], "edge-triggered");
  epoll.watchWriting(b, true);
  assert.equal(epoll.poll()[0]?.writable, true);
  closeFd(a);
  assert.equal(epoll.poll()[0]?.hangUp, true);
  epoll.remove(b);
  closeFd(b);
  epoll.close();
  epoll.close();
});

Deno.test("listenFds() counts sockets meant for this process only", () => {
  const env = (values: Record<string, string>) => (name: string): string | undefined => values[name];
  assert.equal(FIRST_LISTEN_FD, 3);
  assert.equal(listenFds(env({ LISTEN_PID: "7", LISTEN_FDS: "2" }), 7), 2);
  for (const [pid, fds] of [["8", "1"], ["7", "0"], ["7", "-1"], ["7", "x"], ["", "1"]]) {
    assert.equal(listenFds(env({ LISTEN_PID: pid!, LISTEN_FDS: fds! }), 7), 0);
  }
});

Deno.test("notify() tells nobody where nobody listens", () => {
  assert.equal(notify(() => undefined, "READY=1"), false);
  assert.equal(notify(() => "/no/such/socket", "READY=1"), false);
  assert.equal(notify(() => "relative", "READY=1"), false);
});
