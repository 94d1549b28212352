import assert from "node:assert/strict";
import { guestArguments } from "../../lab/guest/command_line.ts";
import { parseTick } from "../../lab/guest/console.ts";

Deno.test("parseTick() reads a good round, a failed one, and nothing else", () => {
  assert.deepEqual(parseTick({ text: "tick 7 ok t=38.576 lat=341.9", at: 5 }), {
    counter: 7,
    ok: true,
    guestSeconds: 38.576,
    latencyMs: 341.9,
    at: 5,
  });
  assert.deepEqual(parseTick({ text: "tick 8 FAIL t=1.000 lat=2.0 errno=52 Invalid exchange", at: 6 }), {
    counter: 8,
    ok: false,
    guestSeconds: 1,
    latencyMs: 2,
    at: 6,
    errno: 52,
  });
  assert.equal(parseTick({ text: "sd 0:0:0:0: reservation conflict", at: 0 }), undefined);
});

const SPEC = { name: "src", vmlinux: "/v", initrd: "/i", serial: "/s", qmp: ["/q"] };

Deno.test("guestArguments() keeps the machine the same whatever the disks, or no saved state would fit", () => {
  const machine = (args: string[]): string[] => args.slice(args.indexOf("-M"), args.indexOf("-chardev"));
  const bare = guestArguments({ ...SPEC, disks: [] });
  const full = guestArguments({
    ...SPEC,
    disks: [{ device: "/dev/sda", helper: "/h" }],
    incoming: "defer",
    paused: true,
  });
  assert.deepEqual(machine(full), machine(bare));
  assert.deepEqual(full.slice(-3), ["-incoming", "defer", "-S"]);
});

Deno.test("guestArguments() gives every disk a target of its own, and a helper where there is one", () => {
  const args = guestArguments({
    ...SPEC,
    disks: [{ device: "/dev/sda", helper: "/h" }, { device: "/dev/sdd", properties: "werror=stop" }],
  });
  assert.ok(args.includes("pr-manager-helper,id=helper0,path=/h"));
  assert.ok(args.includes("driver=host_device,node-name=disk0,filename=/dev/sda,pr-manager=helper0"));
  assert.ok(args.includes("driver=host_device,node-name=disk1,filename=/dev/sdd"));
  assert.ok(args.includes("scsi-block,id=scsi1,drive=disk1,bus=hba.0,scsi-id=1,share-rw=on,werror=stop"));
});
