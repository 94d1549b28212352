import assert from "node:assert/strict";
import { linkTarget, smallFile } from "../../../lib/sys/small_files.ts";

Deno.test("smallFile() and linkTarget(): what is there, and null for what is not", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const text = "0x5001405 änderung\n".repeat(100);
    Deno.writeTextFileSync(`${directory}/file`, text);
    Deno.writeTextFileSync(`${directory}/empty`, "");
    Deno.symlinkSync("../../2:0:0:1", `${directory}/link`);
    assert.equal(smallFile(`${directory}/file`), text);
    assert.equal(smallFile(`${directory}/empty`), "");
    assert.equal(linkTarget(`${directory}/link`), "../../2:0:0:1");
    const descriptors = [...Deno.readDirSync("/proc/self/fd")].length;
    for (const path of ["absent", "file/below", "", "link"]) {
      assert.equal(smallFile(`${directory}/${path}`), null, path);
    }
    for (const path of ["absent", "file"]) assert.equal(linkTarget(`${directory}/${path}`), null, path);
    assert.equal([...Deno.readDirSync("/proc/self/fd")].length, descriptors);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
