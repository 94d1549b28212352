/**
 * A line for the helper's log, before anybody writes it. Pure.
 *
 * @module
 */

/** What happened, for a person or a journal to read. */
export interface LogLine {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly message: string;
  /** Facts that are `null` are left out. */
  readonly facts?: Readonly<Record<string, string | number | null>>;
}

/** Where lines go. */
export type Log = (line: LogLine) => void;
