import assert from "node:assert/strict";
import { formatLog } from "../../../lib/cli/snoop/log.ts";
import { MODE } from "../../../lib/cli/snoop/values.ts";

const TIME = new Date(0);

Deno.test("formatLog(): names, values, quotes; what is null is left out", () => {
  const line = formatLog({ level: "info", message: "a word", facts: { device: "/dev/sdb", pid: 7, lun: null } }, TIME);
  assert.equal(line, 'time=1970-01-01T00:00:00.000Z level=info msg="a word" device=/dev/sdb pid=7');
});

Deno.test("formatLog(): a client's name cannot forge a field or a line", () => {
  const line = formatLog({ level: "info", message: "m", facts: { program: 'x" level=error\nmsg=' } }, TIME);
  assert.ok(!line.includes("\n"));
  assert.match(line, /program="x\\" level=error\\nmsg="$/);
});

Deno.test("MODE reads octal permissions and nothing else", () => {
  assert.equal(MODE.parse("0660"), 0o660);
  assert.equal(MODE.parse("600"), 0o600);
  for (const word of ["", "0888", "66", "06600", "u+rw", "-600"]) assert.throws(() => MODE.parse(word), word);
});
