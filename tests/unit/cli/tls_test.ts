import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import type { Duplex } from "../../../lib/cli/hand_over/duplex.ts";
import { connectTls, listenTls, type TlsFiles, tlsFiles } from "../../../lib/cli/hand_over/tls.ts";
import { Authority, type Certified } from "../../support/certificates.ts";

interface Party {
  readonly files: TlsFiles;
}

async function parties(): Promise<{ directory: string; a: Party; b: Party; evil: Party; stranger: Party }> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-tls-" });
  const [ours, theirs] = [await Authority.found("ours"), await Authority.found("theirs")];
  const party = async (name: string, { cert, key }: Certified, ca: string): Promise<Party> => {
    const files = { cert: `${directory}/${name}.pem`, key: `${directory}/${name}.key`, ca: `${directory}/${name}.ca` };
    await Deno.writeTextFile(files.cert, cert);
    await Deno.writeTextFile(files.key, key);
    await Deno.writeTextFile(files.ca, ca);
    return { files };
  };
  return {
    directory,
    a: await party("a", await ours.certify("a"), ours.cert),
    b: await party("b", await ours.certify("b"), ours.cert),
    // Trusts us, but nobody of ours has signed its certificate.
    evil: await party("evil", await theirs.certify("a"), ours.cert),
    // Signed by us, but trusts somebody else.
    stranger: await party("stranger", await ours.certify("c"), theirs.cert),
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function firstLine({ readable }: Duplex): Promise<string> {
  const reader = readable.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value);
}

Deno.test("TLS: two parties of one authority meet; one that it did not sign, and one that trusts another, do not", async () => {
  const { directory, a, b, evil, stranger } = await parties();
  try {
    const port = freePort();
    const turnedAway: string[] = [];
    const stop = new AbortController();
    const listening = listenTls({
      hostname: "127.0.0.1",
      port,
      files: b.files,
      signal: stop.signal,
      report: (line) => turnedAway.push(line),
    });
    await assert.rejects(connectTls("localhost", port, stranger.files));
    // TLS 1.3 tells the client of its refusal only when it reads.
    const pretender = await connectTls("localhost", port, evil.files);
    await assert.rejects(firstLine(pretender));
    await pretender.close();
    const [client, server] = await Promise.all([connectTls("localhost", port, a.files), listening]);
    await client.write(new TextEncoder().encode("from the source"));
    assert.equal(await firstLine(server), "from the source");
    await server.write(new TextEncoder().encode("from the destination"));
    assert.equal(await firstLine(client), "from the destination");
    assert(turnedAway.length >= 1);
    await client.close();
    await server.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("TLS options come together or not at all", () => {
  assert.equal(tlsFiles({ tlsCert: undefined, tlsKey: undefined, tlsCa: undefined }), null);
  assert.deepEqual(tlsFiles({ tlsCert: "c", tlsKey: "k", tlsCa: "a" }), { cert: "c", key: "k", ca: "a" });
  for (const [tlsCert, tlsKey, tlsCa] of [["c", "k", undefined], [undefined, "k", "a"], ["c", undefined, undefined]]) {
    assert.throws(
      () => tlsFiles({ tlsCert, tlsKey, tlsCa }),
      (e: unknown) => e instanceof PrmigError && e.kind === "usage",
    );
  }
});
