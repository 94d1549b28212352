import assert from "node:assert/strict";
import fc from "fast-check";
import { Btf, deviceOffsets, readDeviceOffsets } from "../../../../lib/snoop/kernel/btf.ts";

interface Member {
  readonly name: string;
  readonly type: number;
  readonly bits: number;
}

/** Builds BTF: an int, then structures (kind 4) and unions (5). Type ids count from 1, the int being 1. */
function build(types: readonly { kind: 4 | 5; name: string; members: Member[]; flag?: boolean }[]): Uint8Array {
  const strings = ["\0"];
  const offsetOf = (name: string): number => {
    if (name === "") return 0;
    const at = strings.join("").length;
    strings.push(name + "\0");
    return at;
  };
  const words: number[] = [offsetOf("int"), 0x01000000, 4, 0x20];
  for (const { kind, name, members, flag = false } of types) {
    words.push(offsetOf(name), ((flag ? 0x80 : 0) + kind) * 0x1000000 + members.length, 64);
    for (const member of members) words.push(offsetOf(member.name), member.type, member.bits);
  }
  const text = new TextEncoder().encode(strings.join(""));
  const bytes = new Uint8Array(24 + words.length * 4 + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  [24, 0, words.length * 4, words.length * 4, text.length].forEach((word, i) => view.setUint32(4 + 4 * i, word, true));
  words.forEach((word, i) => view.setUint32(24 + 4 * i, word, true));
  bytes.set(text, 24 + words.length * 4);
  return bytes;
}

const KERNEL = build([
  {
    kind: 4,
    name: "block_device",
    members: [{ name: "bd_start", type: 1, bits: 0 }, { name: "bd_dev", type: 1, bits: 288 }],
  },
  { kind: 5, name: "", members: [{ name: "f_llist", type: 1, bits: 0 }, { name: "f_inode", type: 1, bits: 64 }] },
  { kind: 4, name: "file", members: [{ name: "f_path", type: 1, bits: 0 }, { name: "", type: 3, bits: 192 }] },
  { kind: 4, name: "inode", flag: true, members: [{ name: "i_rdev", type: 1, bits: 0x20000000 + 608 }] },
]);

Deno.test("Btf finds members: direct, in anonymous structures, and with a bit field's size in the top byte", () => {
  assert.deepEqual(deviceOffsets(Btf.parse(KERNEL)!), { bdDev: 36, fInode: 32, iRdev: 76 });
});

Deno.test("Btf says null for a structure, a member, or a byte offset that is not there", () => {
  const btf = Btf.parse(KERNEL)!;
  assert.equal(btf.memberOffset("block_device", "bd_de"), null);
  assert.equal(btf.memberOffset("block_devic", "bd_dev"), null);
  assert.equal(btf.memberOffset("nothing", "i_rdev"), null);
  const odd = Btf.parse(build([{ kind: 4, name: "file", members: [{ name: "f_inode", type: 1, bits: 3 }] }]))!;
  assert.equal(odd.memberOffset("file", "f_inode"), null);
});

Deno.test("Btf ends on structures that contain themselves", () => {
  const btf = Btf.parse(build([{ kind: 4, name: "file", members: [{ name: "", type: 2, bits: 0 }] }]))!;
  assert.equal(btf.memberOffset("file", "f_inode"), null);
});

Deno.test("Btf.parse() never throws, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.nat(KERNEL.length), fc.uint8Array({ maxLength: 40 }), (at, junk) => {
      const bytes = KERNEL.slice();
      bytes.set(junk.subarray(0, Math.max(0, bytes.length - at)), at);
      for (const damaged of [bytes, KERNEL.subarray(0, at), junk]) Btf.parse(damaged)?.memberOffset("file", "f_inode");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("readDeviceOffsets() gives null where there is no such file", () => {
  assert.equal(readDeviceOffsets("/nonexistent/btf"), null);
});
