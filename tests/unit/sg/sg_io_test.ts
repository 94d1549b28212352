import assert from "node:assert/strict";
import { fromHex } from "../../../lib/bytes.ts";
import { sgIo, sgVersion } from "../../../lib/sg/sg_io.ts";
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
