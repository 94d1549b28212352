import assert from "node:assert/strict";
import { fromHex } from "../../../lib/bytes.ts";
import { sgIo, sgVersion, SPILL_ROOM, withSpillRoom } from "../../../lib/sg/sg_io.ts";
import { closeFd, O_RDONLY, O_RDWR, openFd } from "../../../lib/sys/fd.ts";

const INQUIRY = fromHex("12 00 00 00 60 00");

for (const path of ["/dev/null", new URL(import.meta.url).pathname, "/dev"]) {
  Deno.test(`sgIo() and sgVersion() on ${path === "/dev/null" || path === "/dev" ? path : "a file"} say ENOTTY`, async () => {
    const fd = await openFd(path, path === "/dev/null" ? O_RDWR : O_RDONLY);
    try {
      await assert.rejects(sgIo(fd, INQUIRY, 96, 1000), { name: "SysError", code: "ENOTTY", call: "SG_IO" });
      await assert.rejects(sgVersion(fd), { name: "SysError", code: "ENOTTY", call: "SG_GET_VERSION_NUM" });
    } finally {
      closeFd(fd);
    }
  });
}

Deno.test("sgIo() on a descriptor that is not open says EBADF", async () => {
  await assert.rejects(sgIo(-1, INQUIRY, 96, 1000), { code: "EBADF" });
});

Deno.test("sgIo() whose guard throws is never sent", async () => {
  const refuse = (): never => {
    throw new RangeError("closed");
  };
  await assert.rejects(sgIo(-1, INQUIRY, 96, 1000, refuse), /closed/);
});

Deno.test("sgIo() takes any length of data, however much it is", async () => {
  for (const data of [65_535, 1 << 20, new Uint8Array(1 << 20)]) {
    await assert.rejects(sgIo(-1, INQUIRY, data, 1000), { code: "EBADF" });
  }
});

Deno.test("only PERSISTENT RESERVE IN gets room beyond its allocation length, for 24 bytes as for none", () => {
  const [readFullStatus, prOut] = [fromHex("5e 03 00 00 00 00 00 00 18 00"), fromHex("5f 00 00 00 00 00 00 00 18 00")];
  assert.equal(withSpillRoom(readFullStatus, 24), 24 + SPILL_ROOM);
  assert.equal(withSpillRoom(readFullStatus, 0), SPILL_ROOM);
  assert.equal(withSpillRoom(INQUIRY, 96), 96);
  const list = new Uint8Array(24);
  assert.equal(withSpillRoom(prOut, list), list);
  // The longest descriptor (24 and an iSCSI name of 223 with ISID), less nothing: what LIO may write too many.
  assert.ok(SPILL_ROOM >= 8 + 24 + 4 + 223 + 5 + 12 + 4);
});
