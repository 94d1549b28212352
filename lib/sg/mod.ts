/**
 * SCSI devices of this host, on Linux: discovery by sysfs, commands by SG_IO.
 *
 * Needs `--allow-ffi`, `--allow-read` and whatever the kernel asks for (prmig help privileges).
 *
 * @module
 */
export { DEFAULT_TIMEOUT_MS, type OpenOptions, openSgDevice, SgNexus } from "./device.ts";
export { listDisks, resolveAddress, type ResolvedAddress } from "./discover.ts";
export { type FileKind, type Host, THIS_HOST } from "./host.ts";
export type { NodeInfo } from "./node.ts";
