/**
 * Licences of what is in the one file beside prmig: the runtime, and the npm packages of the bundle.
 *
 * The packages are those of deno.lock that deno.json imports for the program, with all they need. Their licence texts are
 * in Deno's cache, where building the bundle has put them.
 *
 * @module
 */
import { RUNTIME_VERSION } from "../build/settings.ts";

const ROOT = new URL("../../", import.meta.url);
/** Imports that only tests and type checks use. */
const NOT_SHIPPED = /^(fast-check$|@types\/)/;

interface LockedPackage {
  readonly dependencies?: readonly string[];
}

interface Lock {
  readonly npm: Readonly<Record<string, LockedPackage>>;
}

/** Names with versions, `valibot@1.5.0`, sorted. */
export function shippedPackages(imports: Readonly<Record<string, string>>, lock: Lock): string[] {
  const all = Object.keys(lock.npm);
  const lockedName = (wanted: string): string => {
    const found = all.find((name) => name === wanted || name.replace(/@[^@]+$/, "") === wanted);
    if (found === undefined) throw new Error(`deno.lock has no ${wanted}`);
    return found;
  };
  const shipped = new Set<string>();
  const add = (name: string): void => {
    if (shipped.has(name)) return;
    shipped.add(name);
    for (const need of lock.npm[name]?.dependencies ?? []) if (!NOT_SHIPPED.test(need)) add(lockedName(need));
  };
  for (const [name, specifier] of Object.entries(imports)) {
    if (!NOT_SHIPPED.test(name) && specifier.startsWith("npm:")) add(lockedName(specifier.slice("npm:".length)));
  }
  return [...shipped].sort();
}

/** All notices, one after the other. */
export async function thirdPartyNotices(): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
  const cache = await npmCache();
  const parts = [RUNTIME_NOTICE];
  for (const name of shippedPackages(imports, lock)) parts.push(await packageNotice(name, cache));
  return parts.join(`\n${"-".repeat(78)}\n\n`);
}

const RUNTIME_NOTICE = `The executable prmig contains:

Deno ${RUNTIME_VERSION}, https://deno.com, source https://github.com/denoland/deno
Copyright 2018-2026 the Deno authors. MIT License, as below.

Deno contains V8 (Copyright 2006-2026 the V8 project authors, BSD-3-Clause), ICU (Unicode License V3), SQLite (public
domain), and Rust crates under MIT, Apache-2.0, BSD, ISC, Zlib, MPL-2.0 and Unicode licences. Which ones, and their texts,
is in the source of that version: Cargo.lock, and the LICENSE files of the crates it names.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

async function packageNotice(name: string, cache: string): Promise<string> {
  const at = name.lastIndexOf("@");
  const directory = `${cache}/${name.slice(0, at)}/${name.slice(at + 1)}`;
  const { license, author, homepage } = JSON.parse(await Deno.readTextFile(`${directory}/package.json`));
  const who = typeof author === "string" ? author : author?.name;
  const head = [name, homepage, who && `by ${who}`, `licence: ${license}`].filter(Boolean).join("\n");
  const file = [...Deno.readDirSync(directory)].find((entry) => /^(licen[cs]e|copying)/i.test(entry.name));
  return file === undefined
    ? `${head}\n`
    : `${head}\n\n${(await Deno.readTextFile(`${directory}/${file.name}`)).trim()}\n`;
}

async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return `${JSON.parse(new TextDecoder().decode(stdout)).npmCache}/registry.npmjs.org`;
}
