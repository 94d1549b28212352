/**
 * A new user on a host that holds a LUN types what README.md and docs/quick-start.md say, and nothing else, with the file that
 * the packages install. What is seen is kept as a transcript, and is what the README shows.
 */
import assert from "node:assert/strict";
import { type ShellBlock, shellBlocks } from "../../ship/documents.ts";
import { heldBySrc, type Hosts, startHosts } from "../packaged_hosts.ts";
import { labTest, REPOSITORY } from "../support.ts";
import { assertTranscript, typed } from "../transcripts.ts";

for (const [file, golden] of [["README.md", "readme.txt"], ["docs/quick-start.md", "quick_start.txt"]] as const) {
  labTest(`a new user types what ${file} says`, async () => {
    const text = Deno.readTextFileSync(`${REPOSITORY}/${file}`);
    await using hosts = await startHosts();
    await begin(hosts);
    let transcript = "";
    for (const block of shellBlocks(file, text).filter(({ mark }) => mark === "run")) {
      const printed: string[] = [];
      for (const line of block.script.split("\n")) {
        const ran = await hosts.shell("src", line, { timeoutMs: 120_000 });
        transcript += typed(line, ran, hosts.heardFromDst());
        assert.equal(ran.code, 0, `${file}:${block.line}: ${line}\n${transcript}`);
        printed.push(ran.stdout);
      }
      const promised = seenBelow(text, block);
      if (promised !== null) assert.equal(printed.join(""), promised, `${file} shows what is seen`);
    }
    assertTranscript(golden, transcript);
  });
}

/** src holds, and the other host has just met a conflict, which its kernel tells. */
async function begin(hosts: Hosts): Promise<void> {
  await heldBySrc();
  const { code, stderr } = await hosts.shell(
    "dst",
    "dmesg --clear; ! dd if=/dev/zero of=/dev/sda count=8 oflag=direct status=none",
  );
  assert.equal(code, 0, stderr);
}

/** What the document shows below a block as its output; null when it shows nothing. */
function seenBelow(text: string, { script }: ShellBlock): string | null {
  const after = text.slice(text.indexOf(`\`\`\`sh\n${script}\n\`\`\``) + script.length + "```sh\n\n```".length);
  return /^\s*<!-- seen -->\n```text\n([^]*?)```/.exec(after)?.[1] ?? null;
}
