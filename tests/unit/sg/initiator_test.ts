import assert from "node:assert/strict";
import { ownInitiator } from "../../../lib/sg/initiator.ts";
import { FakeSysfs } from "../../support/fake_sysfs.ts";

const LOOPBACK = "kernel/config/target/loopback/naa.5001400000000001/tpgt_1";
const IQN = "iqn.1993-08.org.debian:01:lab";
const SAS_PORT = "devices/pci0/host1/port-1:0/end_device-1:0/target1:0:0";

const CASES: readonly (readonly [string, (fake: FakeSysfs) => FakeSysfs, unknown])[] = [
  [
    "tcm_loop: the nexus of the loopback port with our H:C:I",
    (fake) =>
      fake.scsi({ hctl: "1:0:1:0" }).file("class/scsi_host/host1/proc_name", "tcm_loopback")
        .file("kernel/config/target/loopback/naa.5001400000000000/tpgt_1/address", "0:0:1")
        .file("kernel/config/target/loopback/naa.5001400000000000/tpgt_1/nexus", "naa.600140000000bbbb")
        .file(`${LOOPBACK}/address`, "1:0:1").file(`${LOOPBACK}/nexus`, "naa.600140000000AAAA"),
    { transportId: { protocol: "sas", address: "600140000000aaaa" }, match: "exact" },
  ],
  [
    "tcm_loop whose target is another machine's",
    (fake) => fake.scsi({ hctl: "1:0:1:0" }).file("class/scsi_host/host1/proc_name", "tcm_loopback"),
    null,
  ],
  [
    "tcm_loop with a Fibre Channel name",
    (fake) =>
      fake.scsi({ hctl: "1:0:1:0" }).file("class/scsi_host/host1/proc_name", "tcm_loopback")
        .file(`${LOOPBACK}/address`, "1:0:1").file(`${LOOPBACK}/nexus`, "fc.21:00:00:1b:32:9a:1c:07"),
    { transportId: { protocol: "fc", address: "2100001b329a1c07" }, match: "exact" },
  ],
  [
    "iSCSI without an ISID: the beginning of the name",
    (fake) =>
      fake.scsi({ hctl: "1:0:1:0", parent: "platform/host1/session7/target1:0:1" })
        .file("class/iscsi_session/session7/initiatorname", IQN),
    { transportId: { protocol: "iscsi", address: `${IQN},i,0x00023d` }, match: "prefix" },
  ],
  [
    "iSCSI with an ISID: the whole port",
    (fake) =>
      fake.scsi({ hctl: "1:0:1:0", parent: "platform/host1/session7/target1:0:1" })
        .file("class/iscsi_session/session7/initiatorname", IQN)
        .file("class/iscsi_session/session7/isid", "00023D000007"),
    { transportId: { protocol: "iscsi", address: `${IQN},i,0x00023d000007` }, match: "exact" },
  ],
  [
    "Fibre Channel: the host port's name",
    (fake) => fake.scsi({ hctl: "1:0:1:0" }).file("class/fc_host/host1/port_name", "0x2100001B329A1C07"),
    { transportId: { protocol: "fc", address: "2100001b329a1c07" }, match: "exact" },
  ],
  [
    "Fibre Channel port without a name yet",
    (fake) => fake.scsi({ hctl: "1:0:1:0" }).file("class/fc_host/host1/port_name", "0x0000000000000000"),
    null,
  ],
  [
    "SAS: the local phys of a wide port agree",
    (fake) =>
      fake.scsi({ hctl: "1:0:0:0", parent: SAS_PORT.slice("devices/".length) })
        .file("devices/pci0/host1/port-1:0/phy-1:0/sas_phy/phy-1:0/sas_address", "0x500062b200c4e6f1")
        .file("devices/pci0/host1/port-1:0/phy-1:1/sas_phy/phy-1:1/sas_address", "0x500062b200c4e6f1"),
    { transportId: { protocol: "sas", address: "500062b200c4e6f1" }, match: "exact" },
  ],
  [
    "SAS: the local phys differ",
    (fake) =>
      fake.scsi({ hctl: "1:0:0:0", parent: SAS_PORT.slice("devices/".length) })
        .file("devices/pci0/host1/port-1:0/phy-1:0/sas_phy/phy-1:0/sas_address", "0x500062b200c4e6f1")
        .file("devices/pci0/host1/port-1:0/phy-1:1/sas_phy/phy-1:1/sas_address", "0x500062b200c4e6f2")
        .file("class/scsi_host/host1/host_sas_address", "0x500062b200c4e6f1"),
    null,
  ],
  [
    "SAS: no phys shown, but the adapter's address",
    (fake) =>
      fake.scsi({ hctl: "1:0:0:0", parent: SAS_PORT.slice("devices/".length) })
        .file("class/scsi_host/host1/host_sas_address", "0x500062b200c4e6f1"),
    { transportId: { protocol: "sas", address: "500062b200c4e6f1" }, match: "exact" },
  ],
  [
    "SAS adapter's own RAID volume",
    (fake) =>
      fake.scsi({ hctl: "1:1:0:0", parent: "pci0/host1/target1:1:0" })
        .file("class/scsi_host/host1/host_sas_address", "0x500062b200c4e6f1"),
    null,
  ],
  [
    "virtio-scsi",
    (fake) => fake.scsi({ hctl: "1:0:1:0" }).file("class/scsi_host/host1/proc_name", "virtio_scsi"),
    null,
  ],
  ["a device that is gone", (fake) => fake, null],
];

for (const [what, build, expected] of CASES) {
  Deno.test(`ownInitiator() of ${what}`, () => {
    using fake = build(new FakeSysfs());
    const hctl = what.includes("RAID") ? "1:1:0:0" : what.startsWith("SAS") ? "1:0:0:0" : "1:0:1:0";
    assert.deepEqual(ownInitiator(hctl, fake), expected);
  });
}

Deno.test("ownInitiator() believes for a moment that all LUNs of a target are reached as one was, and asks again for another target", () => {
  using fake = new FakeSysfs().scsi({ hctl: "1:0:1:0" }).scsi({ hctl: "1:0:1:9" }).scsi({ hctl: "1:0:2:0" })
    .file("class/fc_host/host1/port_name", "0x2100001B329A1C07");
  const found = ownInitiator("1:0:1:0", fake);
  assert.equal(found?.transportId.address, "2100001b329a1c07");
  Deno.removeSync(`${fake.sys}/class/fc_host`, { recursive: true });
  assert.equal(ownInitiator("1:0:1:9", fake), found);
  assert.equal(ownInitiator("1:0:2:0", fake), null);
});
