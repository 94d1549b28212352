/**
 * libc, for quick calls that cannot block. Loaded at the first use, so that `--help` never touches foreign functions.
 *
 * errno is read as plain memory of this thread: correct only when nothing, above all no `await` and no output,
 * comes between the call and the reading. {@link checked} does the two together.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { SysError } from "./errno.ts";

const SYMBOLS = {
  close: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

interface Libc {
  readonly symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly errno: Int32Array;
}

let loaded: Libc | undefined;

/** The library, loaded once in each thread. */
export function libc(): Libc["symbols"] {
  return load().symbols;
}

/** errno of this thread, as the last libc call left it. Valid only before anything else happens. */
export function errno(): number {
  return load().errno[0]!;
}

/** The result of a libc call, or a {@link SysError} with the call's own errno when it is negative. */
export function checked(call: string, target: string, run: (c: Libc["symbols"]) => number | bigint): number {
  const c = libc();
  const result = Number(run(c));
  if (result < 0) throw new SysError(call, target, errno());
  return result;
}

/** Address of a buffer's first byte. It holds as long as the buffer lives; buffers do not move. */
export function addressOf(buffer: ArrayBuffer): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

/** A NUL-terminated string. Throws {@link SysError} EINVAL for a text that holds a NUL itself. */
export function cString(text: string): Bytes {
  if (text.includes("\0")) throw new SysError("use", JSON.stringify(text), 22);
  return new TextEncoder().encode(text + "\0");
}

function load(): Libc {
  if (loaded) return loaded;
  const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
  const location = symbols.__errno_location();
  if (location === null) throw new Error("__errno_location() gave no address");
  return loaded = { symbols, errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4)) };
}
