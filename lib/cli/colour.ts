/**
 * Five ways to make a word stand out on a terminal, or to leave it alone elsewhere.
 *
 * Pure. Our own sequences are the only ones that reach a terminal: {@link gate} lets nothing else through.
 *
 * @module
 */
import { cleanText } from "./clean.ts";

/** Styles by what they say; each is a no-op when colour is off. */
export interface Colour {
  readonly on: boolean;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
  readonly notice: (text: string) => string;
}

const CODES = { strong: 1, faint: 2, bad: 31, good: 32, notice: 33 } as const;
const RESET = "\x1b[0m";
const OURS = new RegExp(`(${[0, ...Object.values(CODES)].map((code) => `\x1b\\[${code}m`).join("|")})`);

/** The styles, acting or not. */
export function colours(on: boolean): Colour {
  const style = (code: number) => (text: string): string => on ? `\x1b[${code}m${text}${RESET}` : text;
  const { strong, faint, bad, good, notice } = CODES;
  return {
    on,
    strong: style(strong),
    faint: style(faint),
    bad: style(bad),
    good: style(good),
    notice: style(notice),
  };
}

/** Whether to colour: on a terminal that is not dumb, unless NO_COLOR is set to anything but the empty text. */
export function wantsColour(isTerminal: boolean, env: (name: string) => string | undefined): boolean {
  return isTerminal && !env("NO_COLOR") && env("TERM") !== "dumb";
}

/** Makes a text safe to print: our own sequences pass when colour is on, every other control character is shown. */
export function gate(text: string, on: boolean): string {
  if (!on) return cleanText(text);
  return text.split(OURS).map((part, i) => i % 2 === 1 ? part : cleanText(part)).join("");
}
