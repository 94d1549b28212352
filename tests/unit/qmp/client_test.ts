import assert from "node:assert/strict";
import { connectQmp, QMP_LIMITS, type QmpClient } from "../../../lib/qmp/client.ts";
import { QmpError, type QmpFailure } from "../../../lib/qmp/error.ts";
import { connected, GREETING, ok, ScriptedQmp, type Told } from "../../support/qmp_script.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** What a promise fails with, which must be a QmpError of this kind. */
async function fails(promise: Promise<unknown>, failure: QmpFailure, text: RegExp): Promise<QmpError> {
  const error = await promise.then(() => assert.fail("it did not fail"), (e: unknown) => e);
  assert(error instanceof QmpError, String(error));
  assert.equal(error.failure, failure, error.message);
  assert.match(error.message, text);
  return error;
}

Deno.test("connectQmp() waits for the greeting, negotiates, and knows the version", async () => {
  const { client, server } = await connected();
  assert.deepEqual(client.version, { major: 7, minor: 2, micro: 22, package: "Debian" });
  assert.deepEqual(server.told, [{ execute: "qmp_capabilities", id: 1 }]);
  await client.close();
});

const NO_GREETING: [string, (server: ScriptedQmp) => void, QmpFailure, RegExp][] = [
  ["silence", () => {}, "timeout", /\/run\/src\/qmp did not greet within 5 s/],
  ["an end", (s) => s.end(), "closed", /closed the connection$/],
  ["half a greeting", (s) => (s.say(GREETING.slice(0, 20)), s.end()), "closed", /in the middle of a message/],
  ["an error of the stream", (s) => s.end(new Error("reset by peer")), "closed", /reset by peer/],
  ["an event", (s) => s.say(event("STOP")), "protocol", /before the greeting/],
  ["an answer", (s) => s.say('{"return": {}, "id": 1}'), "protocol", /before the greeting/],
  ["another protocol", (s) => s.say("SSH-2.0-OpenSSH\r\n"), "protocol", /does not speak QMP: byte 0x53/],
  ["a greeting without version", (s) => s.say('{"QMP": {"capabilities": []}}'), "protocol", /version is not/],
  ["an array", (s) => s.say("[]"), "protocol", /byte 0x5b/],
  ["no UTF-8", (s) => s.say(new Uint8Array([0x7b, 0xff, 0x7d])), "protocol", /not UTF-8/],
  ["bad JSON", (s) => s.say("{QMP}"), "protocol", /not JSON/],
  ["two greetings", (s) => s.say(GREETING + GREETING), "protocol", /a second greeting/],
];

for (const [name, script, failure, text] of NO_GREETING) {
  Deno.test(`connectQmp() meets ${name} instead of a greeting: ${failure}, and closes`, async () => {
    const server = new ScriptedQmp(() => []);
    script(server);
    await fails(connectQmp(server.channel, new VirtualClock(), 5000), failure, text);
    assert.equal(server.closed, true);
  });
}

Deno.test("connectQmp() gives up when negotiation is refused or not answered", async () => {
  for (
    const [answer, failure] of [
      [({ id }: Told) => [`{"error": {"class": "CommandNotFound", "desc": "no"}, "id": ${id}}`], "refused"],
      [() => [], "timeout"],
    ] as const
  ) {
    const server = new ScriptedQmp(answer);
    server.say(GREETING);
    await fails(connectQmp(server.channel, new VirtualClock(), 5000), failure, /qmp_capabilities/);
  }
});

Deno.test("execute() gives what QEMU returns, also when the answers come in another order, in pieces, with line breaks", async () => {
  const held: Told[] = [];
  const { client, server } = await connected((told) => {
    held.push(told);
    return [];
  });
  const answers = [client.execute("query-status", undefined, 1000), client.execute("x", { a: 1 }, 1000)];
  while (held.length < 2) await Promise.resolve();
  assert.deepEqual(held.map(({ execute, arguments: args }) => [execute, args]), [["query-status", undefined], ["x", {
    a: 1,
  }]]);
  const text = `\n{\n  "return": {"n": "}\\"{"},\n "id": ${held[1]!.id}}\r\n{"return": [1], "id": ${held[0]!.id}}`;
  for (const character of text) server.say(character);
  assert.deepEqual(await Promise.all(answers), [[1], { n: '}"{' }]);
  await client.close();
});

Deno.test("execute() reports a refusal with QEMU's words and class; the connection goes on", async () => {
  const { client } = await connected((told) =>
    told.execute === "migrate-continue"
      ? [`{"error": {"class": "GenericError", "desc": "Migration not in expected state"}, "id": ${told.id}}`]
      : ok(told)
  );
  const error = await fails(client.execute("migrate-continue", {}, 1000), "refused", /Migration not in expected state/);
  assert.deepEqual(error.facts, {
    address: "/run/src/qmp",
    command: "migrate-continue",
    errorClass: "GenericError",
    mayBeDone: false,
  });
  assert.deepEqual(await client.execute("cont", undefined, 1000), {});
  await client.close();
});

Deno.test("execute() gives up after its time; the late answer is dropped, later commands work", async () => {
  let hanging: Told | null = null;
  const { client, server } = await connected((told) => {
    if (told.execute !== "query-status") return ok(told);
    hanging = told;
    return [];
  });
  const error = await fails(
    client.execute("query-status", undefined, 2500),
    "timeout",
    /did not answer query-status within 2.5 s/,
  );
  assert.equal(error.facts.mayBeDone, true);
  server.say(`{"return": {"late": true}, "id": ${hanging!["id"]}}`);
  assert.deepEqual(await client.execute("cont", undefined, 1000), {});
  assert.equal(client.failure, null);
  await client.close();
});

Deno.test("a message that is begun and not ended swallows the answers: the first time limit ends the connection", async () => {
  const { client, server } = await connected(() => []);
  server.say('{"event": "STOP", "data": {');
  await fails(client.execute("query-status", undefined, 2500), "timeout", /did not answer query-status/);
  assert.equal((await client.ended).failure, "protocol");
  await fails(client.execute("cont", undefined, 1000), "protocol", /has not ended the message it began/);
});

const DEATHS: [string, (server: ScriptedQmp) => void, QmpFailure, RegExp][] = [
  ["QEMU closes", (s) => s.end(), "closed", /cannot cont: .* closed the connection/],
  ["the connection breaks", (s) => s.end(new Error("reset by peer")), "closed", /reset by peer/],
  [
    "an answer to nobody comes",
    (s) => s.say('{"return": {}, "id": 99}'),
    "protocol",
    /command 99, which was never sent/,
  ],
  ["an answer without id comes", (s) => s.say('{"return": {}}'), "protocol", /an answer to no command/],
  [
    "an error without id comes",
    (s) => s.say('{"error": {"class": "G", "desc": "Invalid JSON"}}'),
    "protocol",
    /Invalid JSON/,
  ],
  ["an error without words comes", (s) => s.say('{"error": {}, "id": 2}'), "protocol", /class is not/],
  ["an event without a time comes", (s) => s.say('{"event": "STOP"}'), "protocol", /timestamp is not/],
  ["an unknown message comes", (s) => s.say('{"hello": 1}'), "protocol", /neither greeting, event nor answer/],
  ["the greeting comes again", (s) => s.say(GREETING), "protocol", /a second greeting/],
];

for (const [name, script, failure, text] of DEATHS) {
  Deno.test(`${name}: what is under way fails with ${failure}, what comes later too, and \`ended\` tells`, async () => {
    const { client, server } = await connected((told) => {
      if (told.execute === "cont") script(server);
      return [];
    });
    const error = await fails(client.execute("cont", undefined, 1000), failure, text);
    assert.equal(error.facts.mayBeDone, true);
    const later = await fails(client.execute("quit", undefined, 1000), failure, /cannot quit/);
    assert.equal(later.facts.mayBeDone, false);
    assert.equal((await client.ended).failure, failure);
    await client.close();
  });
}

Deno.test("a write that fails ends the connection", async () => {
  const { client, server } = await connected();
  Object.assign(server.channel, { write: () => Promise.reject(new Error("Broken pipe")) });
  await fails(client.execute("cont", undefined, 1000), "closed", /Broken pipe/);
  await client.close();
});

Deno.test("events reach every listener in order, until it goes, between commands and in the middle of them", async () => {
  const { client, server } = await connected((
    told,
  ) => [event("STOP"), event("MIGRATION", { status: "active" }), ...ok(told)]);
  const seen: unknown[] = [];
  const forget = client.onEvent(({ event, data }) => void seen.push([event, data]));
  await client.execute("x", undefined, 1000);
  assert.deepEqual(seen, [["STOP", {}], ["MIGRATION", { status: "active" }]]);
  forget();
  server.say(event("RESUME"));
  await client.execute("y", undefined, 1000);
  assert.equal(seen.length, 2);
  await client.close();
});

Deno.test("a message beyond the limit ends the connection instead of filling memory", async () => {
  const { client, server } = await connected(() => []);
  const waiting = fails(client.execute("query-block", undefined, 60_000), "protocol", /more than 16777216 bytes/);
  server.say('{"return": "');
  const part = new Uint8Array(1 << 20).fill(0x61);
  for (let sent = 0; sent <= QMP_LIMITS.messageBytes; sent += part.length) server.say(part);
  await waiting;
  await client.close();
});

Deno.test("commands that are never answered are bounded", async () => {
  const { client } = await connected(() => []);
  await Promise.all(Array.from({ length: QMP_LIMITS.commands }, () => given(client)));
  await fails(client.execute("one-more", undefined, 10), "timeout", /256 commands unanswered/);
  await client.close();
});

async function given(client: QmpClient): Promise<void> {
  await fails(client.execute("x", undefined, 10), "timeout", /did not answer/);
}

function event(name: string, data?: unknown): string {
  const timestamp = { seconds: 1, microseconds: 2 };
  return JSON.stringify({ event: name, timestamp, ...data === undefined ? {} : { data } }) + "\r\n";
}
