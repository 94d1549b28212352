import assert from "node:assert/strict";
import { describeErrno, errnoNumber, SysError } from "../../../lib/sys/errno.ts";

const CASES = [
  [2, "ENOENT", /no such file/],
  [-25, "ENOTTY", /does not know this ioctl/],
  [30, "EROFS", /write-protected/],
  [126, "ENOKEY", /key/],
  [200, "errno 200", /without a name/],
] as const;
for (const [number, name, meaning] of CASES) {
  Deno.test(`describeErrno(${number}) is ${name}`, () => {
    const errno = describeErrno(number);
    assert.equal(errno.number, Math.abs(number));
    assert.equal(errno.name, name);
    assert.match(errno.meaning, meaning);
  });
}

Deno.test("errnoNumber() finds the number of a name", () => {
  assert.equal(errnoNumber("EACCES"), 13);
  assert.equal(errnoNumber("ENONSENSE"), undefined);
});

Deno.test("SysError says call, target, name and meaning", () => {
  const error = new SysError("open", "/dev/sg9", -2);
  assert.equal(error.message, "open /dev/sg9: ENOENT (no such file or directory)");
  assert.deepEqual([error.errno, error.code], [2, "ENOENT"]);
});
