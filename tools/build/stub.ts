/**
 * The stub's machine code, as kept beside its source.
 *
 * @module
 */
const DIRECTORY = new URL("stub/", import.meta.url);

/** Machine code for a machine. Throws when there is none. */
export function stubFor(arch: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(Deno.readTextFileSync(new URL(`${arch}.hex`, DIRECTORY)).replaceAll(/\s+/g, ""));
}
