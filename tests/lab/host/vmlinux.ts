/**
 * Takes the kernel's ELF out of a bzImage, so that QEMU starts it through its PVH note and nobody inflates it under
 * emulation. The payload is found through the boot header (Documentation/arch/x86/boot.rst):
 *
 *   0x1f1 setup_sects u8 | 0x248 payload_offset u32 | 0x24c payload_length u32, little endian
 *   payload starts at (setup_sects + 1) * 512 + payload_offset; its last 4 bytes are the inflated size
 *
 * @module
 */
import { LabUnavailable, output } from "./command.ts";

export interface Payload {
  readonly format: "xz" | "lz4" | "gzip";
  readonly bytes: Uint8Array;
  /** The kernel's size when it is inflated. */
  readonly inflatedBytes: number;
}

const MAGICS: readonly { format: Payload["format"]; magic: readonly number[] }[] = [
  { format: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { format: "lz4", magic: [0x02, 0x21, 0x4c, 0x18] }, // the legacy frame
  { format: "gzip", magic: [0x1f, 0x8b] },
];

/** The compressed kernel inside `bzImage`. @throws LabUnavailable if it is no bzImage or of another compression */
export function findPayload(bzImage: Uint8Array): Payload {
  const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  if (bzImage.length < 0x250 || view.getUint32(0x202, true) !== 0x53726448) throw new LabUnavailable("not a bzImage");
  const start = (view.getUint8(0x1f1) + 1) * 512 + view.getUint32(0x248, true);
  const end = start + view.getUint32(0x24c, true) - 4;
  if (end > bzImage.length || end <= start) throw new LabUnavailable("the bzImage is cut short");
  const bytes = bzImage.subarray(start, end);
  const found = MAGICS.find(({ magic }) => magic.every((byte, at) => bytes[at] === byte));
  if (!found) throw new LabUnavailable("the kernel is compressed in a way the lab does not know");
  return { format: found.format, bytes, inflatedBytes: view.getUint32(end, true) };
}

const INFLATE: Record<Payload["format"], readonly string[]> = {
  xz: ["xz", "-dc", "--single-stream"],
  lz4: ["lz4", "-dc"],
  gzip: ["gzip", "-dc"],
};

/** Writes the ELF found in the bzImage at `bzImagePath` to `elfPath`; `find` says how to start a program. */
export async function extractVmlinux(
  bzImagePath: string,
  elfPath: string,
  find: (program: string) => Promise<Tool>,
): Promise<void> {
  const { format, bytes, inflatedBytes } = findPayload(await Deno.readFile(bzImagePath));
  const [program, ...args] = INFLATE[format] as [string, ...string[]];
  const tool = await find(program);
  const payload = `${elfPath}.payload`;
  await Deno.writeFile(payload, bytes);
  const redirected = ["sh", "-c", 'in=$1 out=$2; shift 2; exec "$@" <"$in" >"$out"', "sh", payload, elfPath];
  await output([...redirected, tool.path, ...args], { env: tool.env });
  await Deno.remove(payload);
  const { size } = await Deno.stat(elfPath);
  if (size !== inflatedBytes) throw new LabUnavailable(`${program}: ${size} of ${inflatedBytes} bytes of the kernel`);
}

/** A program and the environment it needs. */
export interface Tool {
  readonly path: string;
  readonly env: Record<string, string>;
}
