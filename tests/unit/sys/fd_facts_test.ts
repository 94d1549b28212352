import assert from "node:assert/strict";
import { closeFd, O_RDONLY, openFd } from "../../../lib/sys/fd.ts";
import { deviceFacts } from "../../../lib/sys/fd_facts.ts";

Deno.test("deviceFacts(): each device its own number, the same text each time, and none for what is no device", async () => {
  const paths = ["/dev/null", "/dev/zero", "/dev/full", "/dev/urandom"];
  const fds = await Promise.all(paths.map((path) => openFd(path, O_RDONLY)));
  const directory = await openFd("/", O_RDONLY);
  try {
    const facts = fds.map(deviceFacts);
    assert.deepEqual(facts.map(({ kind, devno }) => `${kind} ${devno}`), [
      "character 1:3",
      "character 1:5",
      "character 1:7",
      "character 1:9",
    ]);
    fds.forEach((fd, i) => assert.equal(deviceFacts(fd), facts[i], "made once"));
    assert.deepEqual(deviceFacts(directory), { kind: "other", devno: null });
  } finally {
    [...fds, directory].forEach(closeFd);
  }
});
