import assert from "node:assert/strict";
import { assemble, type Parts } from "../../../../tools/build/assemble.ts";
import { Elf, HEADER_BYTES, MACHINE, SEGMENT } from "../../../../tools/build/elf.ts";
import { RUNTIME_ARGUMENTS, RUNTIME_VARIABLES } from "../../../../tools/build/settings.ts";
import { stubFor } from "../../../../tools/build/stub.ts";

const LOADER = "/lib64/ld.so\0";
const TYPES = [SEGMENT.headers, SEGMENT.interpreter, SEGMENT.load, SEGMENT.load, SEGMENT.note];

/** A program as a linker lays it out, small: headers, an interpreter, two loads, a note. */
function program(types: readonly number[] = TYPES): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(0x1800).fill(0xcc);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 3, true);
  view.setUint16(18, MACHINE.x86_64!, true);
  view.setBigUint64(24, 0x1010n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, HEADER_BYTES, true);
  view.setUint16(56, types.length, true);
  const interpreterAt = 0x400;
  bytes.set(new TextEncoder().encode(LOADER), interpreterAt);
  types.forEach((type, i) => {
    const at = 64 + i * HEADER_BYTES;
    const place = type === SEGMENT.interpreter
      ? [interpreterAt, interpreterAt, LOADER.length, LOADER.length]
      : type === SEGMENT.load
      ? i === 2 ? [0, 0, 0x800, 0x800] : [0x1000, 0x1000, 0x800, 0x2345]
      : [64, 64, 8, 8];
    view.setUint32(at, type, true);
    view.setUint32(at + 4, 5, true);
    [place[0]!, place[1]!, place[1]!, place[2]!, place[3]!, 0x1000].forEach((value, j) =>
      view.setBigUint64(at + 8 + 8 * j, BigInt(value), true)
    );
  });
  return bytes;
}

const BUNDLE = new TextEncoder().encode("console.log('prmig')");
const PARTS: Parts = {
  runtime: program(),
  stub: Uint8Array.of(0x90, 0x90, 0x90, 0xc3, ...new Uint8Array(12)),
  bundle: BUNDLE,
  arch: "x86_64",
  rootCache: "/var/cache/prmig",
  noCache: "/dev/null/prmig",
};

Deno.test("assemble(): the kernel sees a program without interpreter that begins in the new, last segment", () => {
  const made = new Elf(assemble(PARTS));
  const types = made.segments.map(({ type }) => type);
  assert.deepEqual(types, [SEGMENT.headers, SEGMENT.null, SEGMENT.load, SEGMENT.load, SEGMENT.load]);
  const added = made.segments.at(-1)!;
  assert.equal(made.entry, added.address);
  assert.equal(added.address, 0x4000, "behind 0x1000 + 0x2345, on a page");
  assert.equal(added.offset, 0x2000);
  assert.equal(added.offset + added.fileBytes, made.bytes.length);
  assert.deepEqual(made.bytes.slice(added.offset, added.offset + 4), PARTS.stub.slice(0, 4));
});

Deno.test("assemble(): the loader's copy of the headers names the interpreter, itself, and the new segment", () => {
  const made = new Elf(assemble(PARTS));
  const added = made.segments.at(-1)!;
  const plan = new DataView(made.bytes.buffer, added.offset + PARTS.stub.length);
  const [own, entry, headers] = [0, 8, 16].map((at) => Number(plan.getBigUint64(at, true))) as [number, number, number];
  assert.deepEqual([own, entry], [added.address, 0x1010]);
  const copyAt = headers - added.address + added.offset;
  const copy = TYPES.map((_, i) => made.segmentAt(copyAt + i * HEADER_BYTES));
  assert.deepEqual(copy.map(({ type }) => type), [
    SEGMENT.headers,
    SEGMENT.interpreter,
    SEGMENT.load,
    SEGMENT.load,
    SEGMENT.load,
  ]);
  assert.deepEqual([copy[0]!.address, copy[0]!.offset], [headers, copyAt]);
  assert.deepEqual({ ...copy[4], at: 0 }, { ...added, at: 0 });
});

Deno.test("assemble(): the plan leads to the loader, the caches, the bundle, the arguments and the variables", () => {
  const made = assemble(PARTS);
  const at = new Elf(made).segments.at(-1)!.offset + PARTS.stub.length;
  const plan = new DataView(made.buffer, at);
  const text = (offset: number): string => {
    const rest = made.subarray(at + offset);
    return new TextDecoder().decode(rest.subarray(0, rest.indexOf(0)));
  };
  const [loader, path, cache, none, bundle, size, args, vars] = Array.from(
    { length: 8 },
    (_, i) => plan.getUint32(24 + 4 * i, true),
  ) as [number, number, number, number, number, number, number, number];
  assert.deepEqual([loader, path, cache, none].map(text), [
    "/lib64/ld.so",
    "/var/cache/prmig",
    "DENO_DIR=/var/cache/prmig",
    "DENO_DIR=/dev/null/prmig",
  ]);
  assert.deepEqual(made.slice(at + bundle, at + bundle + size), BUNDLE);
  const words = Array.from({ length: args + vars }, (_, i) => text(plan.getUint32(56 + 4 * i, true)));
  assert.deepEqual(words, [...RUNTIME_ARGUMENTS, ...RUNTIME_VARIABLES]);
});

Deno.test("assemble(): the same parts give the same bytes, and the runtime is left as it was", () => {
  const before = program();
  assert.deepEqual(assemble(PARTS), assemble({ ...PARTS, runtime: program() }));
  assert.deepEqual(PARTS.runtime, before);
});

const REFUSED: readonly (readonly [why: RegExp, runtime: Uint8Array])[] = [
  [/not an ELF file/, new Uint8Array(10)],
  [/not an ELF file/, new TextEncoder().encode("#!/bin/sh\n".repeat(20))],
  [/not exactly one interpreter/, program([SEGMENT.headers, SEGMENT.load, SEGMENT.load, SEGMENT.note])],
  [/not exactly one note/, program([...TYPES, SEGMENT.note])],
  [/note header is not behind/, program([SEGMENT.headers, SEGMENT.interpreter, SEGMENT.note, SEGMENT.load])],
];
for (const [why, runtime] of REFUSED) {
  Deno.test(`assemble() refuses a runtime that is laid out otherwise: ${why.source}`, () => {
    assert.throws(() => assemble({ ...PARTS, runtime }), why);
  });
}

Deno.test("assemble() refuses a runtime for another machine", () => {
  assert.throws(() => assemble({ ...PARTS, arch: "aarch64" }), /not for aarch64/);
});

Deno.test("the stub is there for both machines, and ends where the plan begins", () => {
  for (const arch of Object.keys(MACHINE)) {
    const stub = stubFor(arch);
    assert.ok(stub.length > 1000 && stub.length % 16 === 0, arch);
  }
});

Deno.test("the stub's machine code was made from the sources beside it", async () => {
  const directory = new URL("../../../../tools/build/stub/", import.meta.url);
  const lines = Deno.readTextFileSync(new URL("SOURCES.sha256", directory)).trim().split("\n");
  const files = [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) => name !== "SOURCES.sha256");
  assert.deepEqual(lines.map((line) => line.split(/\s+/)[1]!).sort(), files.sort());
  for (const line of lines) {
    const [digest, name] = line.split(/\s+/) as [string, string];
    const bytes = Deno.readFileSync(new URL(name, directory));
    const actual = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    assert.equal(actual, digest, `${name} changed: run compile.sh for both machines, then sha256sum anew`);
  }
});
