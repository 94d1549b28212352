/**
 * The two files a timeline can be: the picture alone, or a page with the events below it. Both need nothing else.
 *
 * Pure.
 *
 * @module
 */
import { toHtml } from "hast-util-to-html";
import { h } from "hastscript";
import type { PrEvent } from "../../snoop/event.ts";
import { timelineOf } from "../../snoop/timeline.ts";
import { clean } from "../clean.ts";
import { colours } from "../colour.ts";
import { paint } from "../watch/spans.ts";
import { eventSpans } from "../watch/text.ts";
import { drawTimeline } from "./draw.ts";

const STYLE = `
body { font: 14px system-ui, sans-serif; color: #111827; margin: 24px; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin-top: 24px; font-size: 13px; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid #e5e7eb; vertical-align: top; }
th { color: #6b7280; font-weight: 500; white-space: nowrap; }
td:first-child { font-family: ui-monospace, monospace; white-space: nowrap; }
tr.failed td { color: #b91c1c; }
`;

/** The picture as an SVG file. */
export function svgFile(events: readonly PrEvent[]): string {
  const svg = drawTimeline(timelineOf(events));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${toHtml(svg, { space: "svg", closeEmptyElements: true })}\n`;
}

/** A page with the picture and every event. */
export function htmlFile(events: readonly PrEvent[]): string {
  const noColour = colours(false);
  const inOrder = events.toSorted((a, b) => a.time < b.time ? -1 : a.time > b.time ? 1 : 0);
  const rows = inOrder.map((event) =>
    h("tr", { className: event.event === "prOut" && event.statusByte !== 0 ? ["failed"] : [] }, [
      ...[event.time, event.device, event.source].map((cell) => h("td", clean(cell))),
      h("td", paint(eventSpans(event), noColour)),
    ])
  );
  const page = h(null, [
    h("html", { lang: "en" }, [
      h("head", [
        h("meta", { charSet: "utf-8" }),
        h("title", "Reservations over time"),
        h("style", STYLE),
      ]),
      h("body", [
        drawTimeline(timelineOf(events)),
        h("table", [
          h("thead", h("tr", ["time (UTC)", "device", "seen by", "event"].map((cell) => h("th", cell)))),
          h("tbody", rows),
        ]),
      ]),
    ]),
  ]);
  return `<!doctype html>\n${toHtml(page)}\n`;
}
