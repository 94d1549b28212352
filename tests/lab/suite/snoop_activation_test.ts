/**
 * `prmig snoop` under a service manager: the socket handed over, and what it is told.
 */
import assert from "node:assert/strict";
import { Datagrams } from "../../support/datagrams.ts";
import { eventually, NodeClient } from "../helpers.ts";
import { labTest, lun, prmigCommand, start } from "../support.ts";

labTest("socket activation and sd_notify: served on descriptor 3, told ready, the path left alone", async () => {
  const { A } = lun().nexuses;
  using manager = new Datagrams("/run/notify.sock");
  const activated = start([
    "systemd-socket-activate",
    "-l",
    "/run/activated.sock",
    "-E",
    "NOTIFY_SOCKET=/run/notify.sock",
    ...prmigCommand(["snoop"]),
  ]);
  try {
    await eventually("systemd listens", () => {
      try {
        return Deno.lstatSync("/run/activated.sock").isSocket;
      } catch {
        return false;
      }
    });
    using guest = await NodeClient.open("/run/activated.sock", A.sd);
    assert.equal((await guest.prIn(0)).status, 0);
    await eventually("READY=1", () => manager.told().some((text) => text.includes("READY=1")));
    activated.kill("SIGTERM");
    assert.equal((await activated.finished).code, 0);
    assert.ok(manager.told().some((text) => text.includes("STOPPING=1")));
    assert.ok(Deno.lstatSync("/run/activated.sock"), "not ours to unlink");
  } finally {
    activated.kill("SIGKILL");
  }
});
