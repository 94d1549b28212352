/**
 * The last line of a terminal, rewritten in place; ordinary lines go above it.
 *
 * @module
 */

const CLEAR = "\r\x1b[K";

/** One line that changes. */
export class LiveLine {
  #shown = "";

  /** `write` puts text on the terminal as it stands. */
  constructor(private readonly write: (text: string) => void) {}

  /** Shows `text` instead of what is there. */
  show(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    this.write(CLEAR + text);
  }

  /** Makes room, lets `print` print its lines, and shows the live line again below them. */
  above(print: () => void): void {
    if (this.#shown !== "") this.write(CLEAR);
    print();
    if (this.#shown !== "") this.write(this.#shown);
  }

  /** Leaves nothing behind. */
  end(): void {
    if (this.#shown !== "") this.write(CLEAR);
    this.#shown = "";
  }
}
