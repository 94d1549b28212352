/**
 * The byte that carries SCOPE (bits 7-4) and TYPE (bits 3-0), alike in the CDB and in every answer.
 *
 * Pure. Source: SPC-4, "Persistent reservations scope", "Persistent reservations type".
 *
 * @module
 */

/** Scope and type codes, 0..15 each; a sane device shows scope 0 and one of the six types. */
export interface ScopeType {
  /** SCOPE: 0 is LU_SCOPE. */
  readonly scope: number;
  /** TYPE. */
  readonly type: number;
}

/** Packs both into a byte. `RangeError` when one does not fit its four bits. */
export function packScopeType({ scope, type }: ScopeType): number {
  for (const code of [scope, type]) {
    if (!Number.isInteger(code) || code < 0 || code > 0xf) throw new RangeError(`${code} does not fit SCOPE or TYPE`);
  }
  return scope * 16 + type;
}

/** Unpacks a byte. */
export function unpackScopeType(byte: number): ScopeType {
  return { scope: byte >> 4, type: byte & 0x0f };
}
