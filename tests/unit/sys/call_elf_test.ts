import assert from "node:assert/strict";
import { toHex } from "../../../lib/bytes.ts";
import { CALL_ARCHS, encodeCallElf } from "../../../lib/sys/call_elf.ts";

/** The comments of call_elf.ts, fed to an assembler (llvm-mc 14). */
const ASSEMBLED: Record<string, string> = {
  x86_64: "53554154415541564883ec1089fb4889f54989d44989cd4d89c66affb80e" +
    "000000bf020000004889e6488d54240841ba080000000f0589d84889ef4c" +
    "89e64c89ea4d89f20f054889c3b80e000000bf02000000488d74240831d2" +
    "41ba080000000f054889d84883c418415e415d415c5d5bc3",
  aarch64: "fd7bbba9f35301a9f55b02a9f71b00f9f303002af40301aaf50302aaf603" +
    "03aaf70304aa09008092e92300f9e8108052400080d2e1030191e2e30091" +
    "030180d2010000d4e803132ae00314aae10315aae20316aae30317aa0100" +
    "00d4f30300aae8108052400080d2e1e30091020080d2030180d2010000d4" +
    "e00313aaf71b40f9f55b42a9f35341a9fd7bc5a8c0035fd6",
};

for (const [name, arch] of Object.entries(CALL_ARCHS)) {
  Deno.test(`the code for ${name} is what the assembler makes of its comments`, () => {
    assert.equal(toHex(Uint8Array.from(arch.code)), ASSEMBLED[name]);
  });

  Deno.test(`encodeCallElf(${name}) puts every part where its header says`, () => {
    const image = encodeCallElf(arch);
    const view = new DataView(image.buffer);
    assert.equal(toHex(image.subarray(0, 4)), "7f454c46");
    assert.equal(view.getUint16(18, true), arch.machine);
    assert.equal(view.getUint16(56, true), 4, "program headers");
    assert.equal(toHex(image.subarray(368, 368 + arch.code.length)), ASSEMBLED[name]);
    assert.ok(368 + arch.code.length <= 512, "the code ends before the dynamic section");
    const dynamic = Array.from({ length: 6 }, (_, i) => Number(view.getBigUint64(512 + 16 * i, true)));
    assert.deepEqual(dynamic, [4, 5, 6, 10, 11, 0], "DT_HASH STRTAB SYMTAB STRSZ SYMENT NULL");
  });
}
