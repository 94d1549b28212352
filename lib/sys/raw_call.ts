/**
 * System calls off the main thread, each answering `-errno` of its own, undisturbed by signals.
 *
 * Shape: `call(nr, a, b, c, d) -> result or -errno`, from the ELF image of call_elf.ts in a memfd (no file, no compiler,
 * no memory that is writable and executable). A buffer passed as `"buffer"` is held until the call ends; addresses
 * stored INSIDE a buffer are not, so whatever they point to has to live in that same buffer.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { CALL_ARCHS, CALL_SYMBOL, type CallArch, encodeCallElf } from "./call_elf.ts";
import { checked, cString } from "./libc.ts";

const SIGNATURES = {
  /** nr, fd, request, argument */
  ioctl: { name: CALL_SYMBOL, parameters: ["u32", "i32", "u32", "buffer"], result: "i32", nonblocking: true },
  /** nr, directory, path, flags, mode */
  openat: { name: CALL_SYMBOL, parameters: ["u32", "i32", "buffer", "i32", "u32"], result: "i32", nonblocking: true },
  /** nr, time, what is left of it */
  nanosleep: { name: CALL_SYMBOL, parameters: ["u32", "buffer", "buffer"], result: "i32", nonblocking: true },
} as const;

/** The system calls that have a signature here. */
export interface RawCalls {
  readonly nr: CallArch["nr"];
  readonly symbols: Deno.DynamicLibrary<typeof SIGNATURES>["symbols"];
}

let loaded: RawCalls | undefined;

/** The calls, loaded at the first use. Throws on a processor for which there is no code. */
export function rawCalls(): RawCalls {
  if (loaded) return loaded;
  const arch = CALL_ARCHS[Deno.build.arch];
  if (!arch) throw new Error(`prmig has no system call code for ${Deno.build.arch}`);
  return loaded = { nr: arch.nr, symbols: loadElf(encodeCallElf(arch), SIGNATURES) };
}

/** Loads a shared object that is not on any disk; it stays loaded. */
export function loadElf<S extends Deno.ForeignLibraryInterface>(
  image: Bytes,
  signatures: S,
): Deno.DynamicLibrary<S>["symbols"] {
  const fd = checked("memfd_create", "for the system call code", (c) => c.memfd_create(cString("prmig-call"), 1));
  try {
    checked("write", "the system call code", (c) => c.write(fd, image, BigInt(image.length)));
    return Deno.dlopen(`/proc/self/fd/${fd}`, signatures).symbols;
  } finally {
    checked("close", "the system call code", (c) => c.close(fd));
  }
}
