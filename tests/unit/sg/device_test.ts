import assert from "node:assert/strict";
import { fromHex } from "../../../lib/bytes.ts";
import { PrmigError } from "../../../lib/errors.ts";
import { openSgDevice, SgNexus } from "../../../lib/sg/device.ts";
import type { NodeInfo } from "../../../lib/sg/node.ts";
import { commandFailure } from "../../../lib/sg/refusal.ts";
import { SysError } from "../../../lib/sys/errno.ts";
import { closeFd, O_RDWR, openFd } from "../../../lib/sys/fd.ts";
import { FakeSysfs } from "../../support/fake_sysfs.ts";

const INQUIRY = fromHex("12 00 00 00 60 00");
const REGISTER = fromHex("5f 00 00 00 00 00 00 00 18 00");

function isDeviceError(reason: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PrmigError, String(error));
    assert.equal(error.exitCode, 4);
    assert.match(error.message, reason);
    return true;
  };
}

const REFUSED = [
  ["/nonexistent/sda", /there is no such file \(ENOENT\)/],
  ["/dev/null/sda", /there is no such file \(ENOTDIR\)/],
  ["/dev", /is a directory/],
  ["/dev/null", /no SCSI generic node/],
  [new URL(import.meta.url).pathname, /ordinary file, not a SCSI device/],
] as const;
for (const [index, [path, reason]] of REFUSED.entries()) {
  Deno.test(`openSgDevice(${index < 4 ? path : "a file"}) is refused on this very machine`, async () => {
    await assert.rejects(openSgDevice(path, { writable: false }), isDeviceError(reason));
  });
}

Deno.test("openSgDevice() asks the node whether it is SCSI before any command", async () => {
  using fake = new FakeSysfs().node("/dev/null", "char", 21, 3); // says sg, and is none
  closeFd(await openFd("/dev/null", O_RDWR)); // the first call makes the threads' pipes
  const before = descriptors();
  for (const writable of [true, false]) {
    await assert.rejects(openSgDevice("/dev/null", { writable }, fake), isDeviceError(/not a SCSI device \(ENOTTY\)/));
  }
  assert.equal(descriptors(), before, "the descriptors were given back");
});

Deno.test("openSgDevice() names the errno of open itself: node without a device", async () => {
  using fake = new FakeSysfs().node("/nonexistent/sg3", "char", 21, 3);
  await assert.rejects(openSgDevice("/nonexistent/sg3", { writable: true }, fake), isDeviceError(/ENOENT/));
});

Deno.test("openSgDevice() without permission says so and what to do", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${directory}/locked`, { mode: 0 });
    const script = `import { openSgDevice } from ${JSON.stringify(import.meta.resolve("../../../lib/sg/device.ts"))};
      await openSgDevice("${directory}/locked/sda", { writable: false })
        .catch((e) => console.log(e.kind, e.message, e.facts.remedy));`;
    const deno = [Deno.execPath(), "eval", "--no-config", "--no-lock", script];
    // root passes every door but for these two capabilities; anybody else is locked out as it is
    const unprivileged = Deno.uid() === 0 ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : [];
    const [command, ...args] = [...unprivileged, ...deno];
    const { stdout, stderr } = await new Deno.Command(command!, { args, env: { NO_COLOR: "1" } }).output();
    const text = new TextDecoder().decode(stdout);
    const complaint = new TextDecoder().decode(stderr);
    assert.match(text, /^device Cannot open .*locked\/sda: permission denied \(EACCES\) run prmig as root/, complaint);
  } finally {
    Deno.chmodSync(`${directory}/locked`, 0o700);
    Deno.removeSync(directory, { recursive: true });
  }
});

function descriptors(): number {
  return Array.from(Deno.readDirSync("/proc/self/fd")).length;
}

async function nullNexus(): Promise<{ nexus: SgNexus; fd: number }> {
  const node: NodeInfo = {
    ...{ address: "/dev/null", node: "/dev/null", kind: "sg", major: 21, minor: 3, sg: "/dev/sg3" },
    ...{ block: null, hctl: null, deviceType: null, state: null, multipath: null },
  };
  const fd = await openFd("/dev/null", O_RDWR);
  return { nexus: new SgNexus(node, fd, null), fd };
}

function isOpen(fd: number): boolean {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`) === "/dev/null";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("SgNexus says that a refused command was not sent, with the true errno", async () => {
  const { nexus } = await nullNexus();
  await assert.rejects(nexus.execute(REGISTER, new Uint8Array(24)), (error: PrmigError) => {
    assert.deepEqual([error.kind, error.facts.status], ["device", "ENOTTY"]);
    assert.match(error.facts.lun, /untouched/);
    return true;
  });
  nexus.close();
});

Deno.test("SgNexus closes once, and sends nothing afterwards", async () => {
  const { nexus, fd } = await nullNexus();
  assert.ok(isOpen(fd));
  nexus.close();
  nexus.close();
  assert.ok(!isOpen(fd));
  await assert.rejects(nexus.execute(INQUIRY, 96), isDeviceError(/it was closed/));
});

Deno.test("SgNexus keeps its descriptor while a command is in flight, and drops the queued ones", async () => {
  const { nexus, fd } = await nullNexus();
  const commands = [1, 2, 3].map(() => nexus.execute(INQUIRY, 96));
  nexus.close();
  assert.ok(isOpen(fd), "a command is on its way: the number must not become another file's");
  const ends = await Promise.allSettled(commands);
  const reasons = ends.map((end) => end.status === "rejected" ? (end.reason as Error).message : "resolved");
  assert.match(reasons[0]!, /ENOTTY/);
  assert.match(reasons[1]!, /it was closed/);
  assert.match(reasons[2]!, /it was closed/);
  assert.ok(!isOpen(fd));
});

const FAILURES = [
  ["EPERM", 1, false, "device", /untouched/, /root/],
  ["EPERM", 1, true, "device", /untouched/, /root/],
  ["EINVAL", 22, false, "device", /untouched/, /dump/],
  ["EIO", 5, true, "device", /unchanged/, /dump/],
  ["EIO", 5, false, "unsure", /unknown/, /another path/],
  ["ENODEV", 19, false, "unsure", /unknown/, /another path/],
  ["errno 524", 524, false, "unsure", /unknown/, /another path/],
] as const;
for (const [name, errno, reads, kind, lun, remedy] of FAILURES) {
  Deno.test(`commandFailure(${name}) of a command that ${reads ? "reads" : "changes something"} is "${kind}"`, () => {
    const failure = commandFailure("/dev/sg3", new SysError("SG_IO", "descriptor 5", errno), REGISTER, reads);
    assert.equal(failure.kind, kind);
    assert.match(failure.message, new RegExp(`^Cannot send a command to /dev/sg3: .*\\(${name}\\)$`));
    // Who shows the message alone, as watch does, names the capability as well.
    assert.equal(failure.message.includes("CAP_SYS_RAWIO"), name === "EPERM");
    assert.match(failure.facts.lun, lun);
    assert.match(failure.facts.remedy, remedy);
  });
}
