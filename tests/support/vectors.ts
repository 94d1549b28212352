/**
 * Test vectors: hex with comments, several to a file, in tests/vectors/.
 *
 *   # what these bytes are
 *   [V15]
 *   00000011 00000060   # spaces, line ends and comments are free
 *
 * @module
 */
import { type Bytes, fromHex } from "../../lib/bytes.ts";

const cache = new Map<string, Map<string, Bytes>>();

/** All vectors of a file by name, in order. Throws for bytes before the first name, and for a name given twice. */
export function loadVectors(file: string): Map<string, Bytes> {
  const known = cache.get(file);
  if (known) return known;
  const texts = new Map<string, string>();
  let name: string | null = null;
  for (const line of Deno.readTextFileSync(new URL(`../vectors/${file}`, import.meta.url)).split("\n")) {
    const text = line.replace(/#.*/, "").trim();
    if (text === "") continue;
    const heading = /^\[(.+)\]$/.exec(text)?.[1];
    if (heading !== undefined) {
      if (texts.has(heading)) throw new Error(`${file}: [${heading}] is there twice`);
      texts.set(name = heading, "");
    } else if (name === null) throw new Error(`${file}: bytes before the first [name]: ${text}`);
    else texts.set(name, texts.get(name) + text);
  }
  const vectors = new Map([...texts].map(([key, text]) => [key, fromHex(text)]));
  cache.set(file, vectors);
  return vectors;
}

/** A copy of one vector. Throws when there is none of that name. */
export function loadVector(file: string, name: string): Bytes {
  const bytes = loadVectors(file).get(name);
  if (!bytes) throw new Error(`${file} has no [${name}]`);
  return bytes.slice();
}
