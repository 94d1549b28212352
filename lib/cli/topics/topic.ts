/**
 * What a help topic is.
 *
 * @module
 */

/** A topic: one line for the list, a heading for the manual, and the text. */
export interface Topic {
  readonly summary: string;
  readonly title: string;
  /** Paragraphs parted by empty lines; one that begins with a blank is shown as it stands. */
  readonly text: string;
}
