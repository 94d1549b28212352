import assert from "node:assert/strict";
import {
  CAP_SYS_RAWIO,
  hasTooMuch,
  maskOf,
  mayBecome,
  type Privileges,
  privileges,
} from "../../../lib/sys/privileges.ts";
import { groupId, userIds } from "../../../lib/sys/users.ts";

const RAWIO = maskOf([CAP_SYS_RAWIO]);
const ALL = (1n << 41n) - 1n;
const ROOT: Privileges = {
  uid: 0,
  gid: 0,
  groups: [0],
  permitted: ALL,
  effective: ALL,
  bounding: ALL,
  noNewPrivileges: false,
};
const DROPPED: Privileges = { ...ROOT, permitted: RAWIO, effective: RAWIO, bounding: 0n, noNewPrivileges: true };
const UNIT: Privileges = { ...DROPPED, bounding: RAWIO };
const USER: Privileges = { ...DROPPED, uid: 1000, gid: 1000, permitted: 0n, effective: 0n, bounding: ALL };
const WANTED = { capabilities: [CAP_SYS_RAWIO], uid: null, gid: null };

Deno.test("hasTooMuch(): root has; a dropped process, a confined unit and an ordinary user have not", () => {
  assert.equal(hasTooMuch(ROOT, WANTED), true);
  assert.equal(hasTooMuch(DROPPED, WANTED), false);
  assert.equal(hasTooMuch(UNIT, WANTED), false);
  assert.equal(hasTooMuch(USER, WANTED), false);
  assert.equal(hasTooMuch(DROPPED, { ...WANTED, uid: 65534 }), true);
});

Deno.test("mayBecome(): root may become anybody, others only themselves", () => {
  assert.equal(mayBecome(ROOT, { ...WANTED, uid: 65534, gid: 65534 }), true);
  assert.equal(mayBecome(USER, { ...WANTED, uid: 65534 }), false);
  assert.equal(mayBecome(USER, { ...WANTED, gid: 1 }), false);
  assert.equal(mayBecome(USER, { ...WANTED, uid: 1000, gid: 1000 }), true);
});

Deno.test("privileges() reads this thread's own", () => {
  const now = privileges();
  assert.deepEqual([now.uid, now.gid], [Deno.uid(), Deno.gid()]);
  assert.equal(privileges("self").uid, now.uid);
});

Deno.test("users and groups by name and by number", () => {
  assert.deepEqual(userIds("root"), { uid: 0, gid: 0 });
  assert.deepEqual(userIds("0"), { uid: 0, gid: 0 });
  assert.deepEqual(userIds("4000000000"), { uid: 4_000_000_000, gid: null });
  assert.equal(userIds("no-such-user-here"), null);
  assert.equal(userIds("4294967295"), null, "that number means: leave it");
  assert.equal(groupId("root"), 0);
  assert.equal(groupId("65534"), 65534);
  assert.equal(groupId("no-such-group-here"), null);
});
