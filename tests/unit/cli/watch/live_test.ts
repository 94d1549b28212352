import assert from "node:assert/strict";
import { LivePresenter } from "../../../../lib/cli/watch/present.ts";
import type { PrEvent } from "../../../../lib/snoop/event.ts";
import type { LunStatus } from "../../../../lib/snoop/watch.ts";
import { memoryWorld } from "../../../support/cli_world.ts";

const NOW_US = Date.UTC(2026, 0, 1) * 1000;
/** A row and its text, as the screen writes them. */
const WRITTEN = new RegExp("\x1b\\[(\\d+);1H\x1b\\[K([^\x1b]*)", "g");
const STATUS: LunStatus = { device: "/dev/sda", lun: null, state: null, isOwn: () => null, trouble: null, since: null };

function note(text: string): PrEvent {
  const nothing = { serviceAction: null, status: null, key: null, newKey: null, type: null, before: null, after: null };
  return {
    time: "2026-01-01T00:00:00.000Z",
    device: "/dev/sda",
    event: "note",
    source: "poll",
    ...nothing,
    note: text,
  };
}

/** A live view on a made-up terminal; `screen()` is what it last wrote in every row. */
function live(rows = 12): {
  presenter: LivePresenter;
  screen: () => string[];
  press: (key: string) => void;
  resize: (columns: number, rows: number) => void;
  out: () => string;
  quits: () => number;
  released: () => number;
} {
  let size = { columns: 60, rows }, quits = 0, released = 0;
  let press: (key: string) => void = () => {}, resized: () => void = () => {};
  const shown: string[] = [];
  const world = memoryWorld();
  const presenter = new LivePresenter({
    out: world.out,
    terminal: {
      write: (text) => {
        for (const [, row, line] of text.matchAll(WRITTEN)) shown[Number(row) - 1] = line!;
      },
      size: () => size,
      onResize: (call) => {
        resized = call;
        return () => released++;
      },
      onKey: (call) => {
        press = call;
        return () => released++;
      },
    },
    luns: [STATUS],
    sight: "no kernel events",
    nowUs: () => NOW_US,
    quit: () => quits++,
  });
  return {
    presenter,
    screen: () => shown.slice(0, size.rows),
    press: (key) => press(key),
    resize: (columns, newRows) => {
      size = { columns, rows: newRows };
      resized();
    },
    out: world.stdout,
    quits: () => quits,
    released: () => released,
  };
}

const frame = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

Deno.test("the live view draws at once, follows events, scrolls, and leaves the history behind", async () => {
  const view = live();
  try {
    assert.match(view.screen()[1]!, /\/dev\/sda/);
    assert.match(view.screen()[2]!, /being read/);
    for (let i = 0; i < 20; i++) view.presenter.event(note(`entry ${i}`));
    await frame();
    assert.ok(view.screen().some((line) => line.includes("entry 19")));
    view.press("up");
    view.press("pageUp");
    assert.ok(view.screen().some((line) => line.includes("3 lines back")), view.screen().join("\n"));
    view.presenter.event(note("entry 20"));
    await frame();
    assert.ok(view.screen().some((line) => line.includes("4 lines back")), "what is read stays where it is");
    view.press("home");
    assert.ok(view.screen().some((line) => line.includes("entry 0")));
    view.press("end");
    assert.ok(view.screen().some((line) => line.includes("entry 20")));
    view.press("down");
    view.press("quit");
    assert.equal(view.quits(), 1);
  } finally {
    view.presenter.close();
    view.presenter.close();
  }
  assert.equal(view.released(), 2);
  const kept = view.out().trimEnd().split("\n");
  assert.deepEqual([kept.length, kept[0]!.slice(14), kept[20]!.slice(14)], [
    21,
    "/dev/sda  entry 0",
    "/dev/sda  entry 20",
  ]);
});

Deno.test("the live view redraws everything after a resize, and shows what -v traces in its history", async () => {
  const view = live();
  try {
    view.presenter.trace("/dev/sda: PERSISTENT RESERVE IN, READ FULL STATUS -> GOOD");
    view.presenter.status({ ...STATUS, trouble: "it is gone" }, 0);
    view.resize(40, 8);
    await frame();
    assert.equal(view.screen().length, 8);
    assert.ok(view.screen().some((line) => line.includes("cannot be read: it is gone")));
    view.resize(100, 20);
    await frame();
    assert.ok(view.screen().some((line) => line.includes("READ FULL STATUS -> GOOD")));
  } finally {
    view.presenter.close();
  }
});

Deno.test("the live view keeps a bounded history, and says how much it has forgotten", () => {
  const view = live();
  for (let i = 0; i < 5200; i++) view.presenter.event(note(`entry ${i}`));
  view.presenter.close();
  const kept = view.out().trimEnd().split("\n");
  assert.deepEqual([kept.length, kept[0]], [5001, "(200 older events are not kept)"]);
});
