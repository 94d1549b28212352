import assert from "node:assert/strict";
import { findPayload } from "../../lab/host/vmlinux.ts";
import { LabUnavailable } from "../../lab/host/command.ts";

/** A bzImage with one setup sector and `payload` 16 bytes into the protected-mode part, its size after it. */
function bzImage(payload: readonly number[]): Uint8Array {
  const image = new Uint8Array(1024 + 16 + payload.length + 4);
  const view = new DataView(image.buffer);
  view.setUint8(0x1f1, 1);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint32(0x248, 16, true);
  view.setUint32(0x24c, payload.length + 4, true);
  image.set(payload, 1024 + 16);
  view.setUint32(1024 + 16 + payload.length, 66_000_000, true);
  return image;
}

const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3];

Deno.test("findPayload() cuts out exactly the compressed kernel, without the size behind it", () => {
  assert.deepEqual(findPayload(bzImage(XZ)), { format: "xz", bytes: new Uint8Array(XZ), inflatedBytes: 66_000_000 });
  assert.equal(findPayload(bzImage([0x02, 0x21, 0x4c, 0x18, 9])).format, "lz4");
});

const BROKEN: readonly (readonly [string, Uint8Array])[] = [
  ["an empty file", new Uint8Array()],
  ["no boot header", new Uint8Array(4096)],
  ["a cut file", bzImage(XZ).subarray(0, 1040)],
  ["an unknown compression", bzImage([1, 2, 3, 4, 5, 6, 7, 8])],
];
for (const [what, bytes] of BROKEN) {
  Deno.test(`findPayload() refuses ${what}`, () => {
    assert.throws(() => findPayload(bytes), LabUnavailable);
  });
}
