/**
 * What prmig knows of devices on a real kernel: names, identity, paths, its own port.
 */
import assert from "node:assert/strict";
import type { PrmigError } from "../../../lib/errors.ts";
import { isOwn } from "../../../lib/pr/own.ts";
import { readIdentity } from "../../../lib/pr/read_identity.ts";
import { readState as readPrState } from "../../../lib/pr/read_state.ts";
import { openSgDevice } from "../../../lib/sg/device.ts";
import { listDisks, resolveAddress } from "../../../lib/sg/discover.ts";
import { describeNode } from "../../../lib/sg/node.ts";
import { linearVolume, multipathVolume, withVolume } from "../device_mapper.ts";
import { lab, labTest, lun, register, run } from "../support.ts";

labTest("sg, sd, by-id and by-path of a path lead to the same H:C:T:L", () => {
  for (const { nexuses } of lab().luns) {
    for (const { sd, sg, byId, byPath, hctl } of Object.values(nexuses)) {
      for (const address of [sd, sg, byId, byPath]) {
        const node = describeNode(address);
        assert.deepEqual([node.block, node.sg, node.hctl, node.deviceType, node.state], [sd, sg, hctl, 0, "running"]);
      }
    }
  }
  return Promise.resolve();
});

labTest("listDisks() lists the lab's six paths", () => {
  const paths = lab().luns.flatMap(({ nexuses }) => Object.values(nexuses));
  assert.deepEqual(listDisks().map((disk) => disk.block).sort(), paths.map(({ sd }) => sd).sort());
  return Promise.resolve();
});

labTest("every path of a LUN tells the kernel's designator and its own target port", async () => {
  for (const { designator, serial, nexuses } of lab().luns) {
    const ports: (number | null)[] = [];
    for (const { sd, sg } of Object.values(nexuses)) {
      for (const address of [sd, sg]) {
        const nexus = await openSgDevice(address, { writable: false });
        const identity = await readIdentity(nexus);
        nexus.close();
        assert.equal(identity.designator, designator);
        assert.deepEqual([identity.vendor, identity.serial, identity.deviceType], ["LIO-ORG", serial, 0]);
        ports.push(identity.relativeTargetPort);
      }
    }
    assert.equal(new Set(ports).size, 3, `three target ports in ${ports}`);
    assert.ok(!ports.includes(null));
  }
});

labTest("each path finds its own registration, and only that, among three with the same key", async () => {
  const { nexuses } = lun();
  for (const path of Object.values(nexuses)) await register(path, 0xabcn);
  for (const { sd, initiatorPort } of Object.values(nexuses)) {
    const nexus = await openSgDevice(sd, { writable: false });
    const { relativeTargetPort } = await readIdentity(nexus);
    const { registrations } = await readPrState(nexus);
    nexus.close();
    assert.deepEqual(nexus.initiator, {
      transportId: { protocol: "sas", address: initiatorPort.slice("naa.".length) },
      match: "exact",
    });
    const own = registrations.filter((each) => isOwn(each, nexus.initiator, relativeTargetPort) === true);
    assert.deepEqual(own.map(({ transportId }) => transportId), [nexus.initiator?.transportId]);
    const others = registrations.filter((each) => isOwn(each, nexus.initiator, relativeTargetPort) === false);
    assert.equal(others.length, 2);
  }
});

labTest("a multipath map stands for its paths, an LVM volume for none", async () => {
  assert.equal((await run(["modprobe", "dm_multipath"])).code, 0);
  assert.equal((await run(["modprobe", "dm_round_robin"])).code, 0);
  const { A, B, C } = lun().nexuses;
  await withVolume(multipathVolume("mpathlab", [A.sd, B.sd]), async (path) => {
    const { paths, multipath } = resolveAddress(path);
    assert.deepEqual([paths.map(({ block }) => block), multipath], [[A.sd, B.sd], "mpathlab"]);
    assert.deepEqual(paths.map((each) => each.multipath), ["mpathlab", "mpathlab"]);
    assert.equal(describeNode(C.sd).multipath, null);
    await assert.rejects(openSgDevice(path, { writable: false }), /device-mapper volume mpathlab/);
  });
  await withVolume(linearVolume("vg-lab", C.sd), (path) => {
    assert.throws(() => resolveAddress(path), (error: PrmigError) => {
      assert.match(error.message, /LVM logical volume \(vg-lab\)/);
      assert.equal(error.facts.remedy, `name the LUN below it: ${C.sd}`);
      return true;
    });
    return Promise.resolve();
  });
});
