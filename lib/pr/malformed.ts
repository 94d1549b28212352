/**
 * The typed error of the codecs of this room, beside `ShortBuffer`: a structure whose own lengths contradict each other.
 *
 * @module
 */

/** A field says what its surroundings rule out. */
export class Malformed extends Error {
  /** Name of the class, for those who see the error serialised. */
  override readonly name = "Malformed";
  /** `message` says what is wrong; the field is put before it. */
  constructor(
    /** The field at fault, as the standard names it. */
    readonly field: string,
    message: string,
  ) {
    super(`${field}: ${message}`);
  }
}
