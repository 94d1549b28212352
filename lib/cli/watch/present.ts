/**
 * Three ways to show a watch: JSON for programs, a line an event elsewhere than on a terminal, and the live view.
 *
 * @module
 */
import { eventToJson, type PrEvent } from "../../snoop/event.ts";
import type { LunStatus } from "../../snoop/watch.ts";
import type { Printer } from "../printer.ts";
import { Screen, type Terminal } from "./screen.ts";
import { eventLine } from "./text.ts";
import { drawView } from "./view.ts";

/** What is told while watching. */
export interface Presenter {
  event(event: PrEvent): void;
  status(status: LunStatus, target: number): void;
  /** A command that was sent, and its answer (-v). */
  trace(line: string): void;
  /** Ends the presentation, and leaves behind what is to be kept. Safe to call twice. */
  close(): void;
}

/** One JSON object an event. */
export function jsonPresenter(out: Printer, trace: (line: string) => void): Presenter {
  return {
    event: (event) => out.json(JSON.parse(eventToJson(event))),
    status: () => {},
    trace,
    close: () => {},
  };
}

/** One line an event. */
export function linePresenter(out: Printer, devices: readonly string[], trace: (line: string) => void): Presenter {
  const columns = Math.max(...devices.map((device) => device.length));
  return {
    event: (event) => out.line(eventLine(event, out.colour, columns)),
    status: () => {},
    trace,
    close: () => {},
  };
}

/** Events kept for scrolling and for the end. */
const MOST_HISTORY = 5000;
/** Least milliseconds between two drawings, and how often ages are brought up to date. */
const FRAME_MS = 40, TICK_MS = 1000;

/** What the live view is made of. */
export interface LiveOptions {
  readonly out: Printer;
  readonly terminal: Terminal;
  readonly luns: readonly LunStatus[];
  readonly sight: string;
  readonly nowUs: () => number;
  readonly quit: () => void;
}

/** The live view. */
export class LivePresenter implements Presenter {
  readonly #screen: Screen;
  readonly #luns: LunStatus[];
  readonly #history: PrEvent[] = [];
  readonly #release: (() => void)[];
  #forgotten = 0;
  #scroll = 0;
  #frame: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(private readonly options: LiveOptions) {
    const { terminal, luns } = options;
    this.#screen = new Screen(terminal);
    this.#luns = [...luns];
    const tick = setInterval(() => this.#draw(), TICK_MS);
    this.#release = [
      () => clearInterval(tick),
      terminal.onResize(() => this.#anew()),
      terminal.onKey((key) => this.#key(key)),
    ];
    this.#draw();
  }

  event(event: PrEvent): void {
    this.#history.push(event);
    if (this.#history.length > MOST_HISTORY) {
      this.#history.shift();
      this.#forgotten++;
    }
    if (this.#scroll > 0) this.#scroll++; // what is being read stays where it is
    this.#soon();
  }

  status(status: LunStatus, target: number): void {
    this.#luns[target] = status;
    this.#soon();
  }

  trace(line: string): void {
    const { device } = this.#luns[0]!;
    const time = new Date(this.options.nowUs() / 1000).toISOString();
    const nothing = {
      serviceAction: null,
      status: null,
      key: null,
      newKey: null,
      type: null,
      before: null,
      after: null,
    };
    this.event({ time, device, event: "note", source: "poll", ...nothing, note: line });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#frame);
    for (const release of this.#release) release();
    this.#screen.close();
    const { out } = this.options;
    const columns = Math.max(...this.#luns.map(({ device }) => device.length));
    if (this.#forgotten > 0) out.line(`(${this.#forgotten} older events are not kept)`);
    for (const event of this.#history) out.line(eventLine(event, out.colour, columns));
  }

  #key(key: string): void {
    const page = Math.max(1, this.options.terminal.size().rows - 10);
    switch (key) {
      case "quit":
        return this.options.quit();
      case "up":
        this.#scroll += 1;
        break;
      case "down":
        this.#scroll -= 1;
        break;
      case "pageUp":
        this.#scroll += page;
        break;
      case "pageDown":
        this.#scroll -= page;
        break;
      case "home":
        this.#scroll = Infinity;
        break;
      case "end":
        this.#scroll = 0;
        break;
      case "redraw":
        return this.#anew();
    }
    this.#draw();
  }

  #anew(): void {
    this.#screen.forget();
    this.#soon();
  }

  #soon(): void {
    if (this.#closed || this.#frame !== undefined) return;
    this.#frame = setTimeout(() => this.#draw(), FRAME_MS);
  }

  #draw(): void {
    clearTimeout(this.#frame);
    this.#frame = undefined;
    if (this.#closed) return;
    const { terminal, out, sight, nowUs } = this.options;
    const most = this.#history.length * 4; // an entry takes no more lines than that on 80 columns
    this.#scroll = Math.max(0, Math.min(this.#scroll, most));
    const model = { luns: this.#luns, history: this.#history, sight, nowUs: nowUs(), scroll: this.#scroll };
    const { lines, mostScroll } = drawView(model, terminal.size(), out.colour);
    this.#scroll = Math.min(this.#scroll, mostScroll);
    this.#screen.draw(lines);
  }
}
