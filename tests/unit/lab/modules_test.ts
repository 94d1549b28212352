import assert from "node:assert/strict";
import { loadOrder } from "../../lab/host/modules.ts";

const MODULES_DEP = [
  "kernel/net/9p/9pnet.ko:",
  "kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko",
  "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko",
  "kernel/fs/netfs/netfs.ko:",
  "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko",
  "kernel/drivers/virtio/virtio_ring.ko:",
  "kernel/drivers/md/dm-mod.ko.xz:",
].join("\n");
const BUILTIN = "kernel/drivers/virtio/virtio_mmio.ko\nkernel/fs/ext4/ext4.ko\n";

Deno.test("loadOrder() puts every module after what it needs, each once", () => {
  const order = loadOrder(MODULES_DEP, BUILTIN, ["9pnet_virtio", "9p"]).map((path) => path.split("/").at(-1));
  assert.deepEqual(order, ["9pnet.ko", "virtio_ring.ko", "virtio.ko", "9pnet_virtio.ko", "netfs.ko", "9p.ko"]);
});

Deno.test("loadOrder() knows compressed modules, dashes, and what is built in", () => {
  assert.deepEqual(loadOrder(MODULES_DEP, BUILTIN, ["dm_mod", "ext4"]), ["kernel/drivers/md/dm-mod.ko.xz"]);
});

Deno.test("loadOrder() refuses a module that the kernel does not have", () => {
  assert.throws(() => loadOrder(MODULES_DEP, BUILTIN, ["tcm_loop"]), /no module tcm_loop/);
});
