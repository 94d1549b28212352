/**
 * The live view's screen: the alternate one, redrawn line by line, given back as it was.
 *
 * Only this file knows the terminal's sequences beside the colours.
 *
 * @module
 */

/** A terminal as the live view needs it; a test makes its own. */
export interface Terminal {
  readonly write: (text: string) => void;
  /** Columns and rows now. */
  readonly size: () => { columns: number; rows: number };
  /** Calls back when the size changed, or the program goes on after a stop, until the result is called. */
  readonly onResize: (call: () => void) => () => void;
  /** Calls back for every key by name (see {@link keyName}), until the result is called. */
  readonly onKey: (call: (key: string) => void) => () => void;
}

// Alternate screen, no cursor, no line wrapping: a character of unexpected width must not push lines around.
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** What is on the screen, so that only lines that differ are written. */
export class Screen {
  #shown: readonly string[] = [];
  #shape = "";
  #open = false;

  constructor(private readonly terminal: Terminal) {}

  /** Shows exactly these lines. */
  draw(lines: readonly string[]): void {
    const { columns, rows } = this.terminal.size();
    const shape = `${columns}x${rows}`;
    let text = this.#open ? "" : ENTER;
    this.#open = true;
    const reshaped = shape !== this.#shape;
    if (reshaped) this.#shown = [];
    this.#shape = shape;
    lines.forEach((line, row) => {
      // Erased first: after a full line the cursor stands on its last character.
      if (line !== this.#shown[row]) text += `\x1b[${row + 1};1H\x1b[K${line}`;
    });
    if (lines.length < rows && (reshaped || lines.length < this.#shown.length)) {
      text += `\x1b[${lines.length + 1};1H\x1b[J`;
    }
    this.#shown = lines;
    if (text !== "") this.terminal.write(text);
  }

  /** Whatever is on the screen now: the next drawing is of everything. */
  forget(): void {
    this.#shape = "";
    if (this.#open) this.terminal.write(ENTER);
  }

  /** Gives the terminal back. Safe to call twice. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // From the last line: tmux puts back what was there before above the cursor, once the window has changed its size.
    this.terminal.write(`\x1b[${this.terminal.size().rows};1H${LEAVE}`);
  }
}

const KEYS: Readonly<Record<string, string>> = {
  "\x1b[A": "up",
  "\x1bOA": "up",
  "\x1b[B": "down",
  "\x1bOB": "down",
  "\x1b[5~": "pageUp",
  "\x1b[6~": "pageDown",
  "\x1b[H": "home",
  "\x1b[1~": "home",
  "\x1bOH": "home",
  "\x1b[F": "end",
  "\x1b[4~": "end",
  "\x1bOF": "end",
  k: "up",
  j: "down",
  b: "pageUp",
  " ": "pageDown",
  g: "home",
  G: "end",
  q: "quit",
  Q: "quit",
  "\x0c": "redraw",
};

const KEY = new RegExp("\x1b(?:\\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\\s\\S]", "g");

/** Names of the keys in what a terminal sent; what has no name is left out. */
export function keyNames(input: string): string[] {
  return [...input.matchAll(KEY)].flatMap(([key]) => KEYS[key] ?? []);
}
