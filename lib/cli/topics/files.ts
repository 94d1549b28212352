/**
 * Files and environment. Pure data.
 *
 * @module
 */
import type { Topic } from "./topic.ts";

export const files: Topic = {
  summary: "files and environment variables",
  title: "Files and environment",
  text: `
What lives as long as the machine is up, and what has to outlive it:

  /run/prmig/              sockets, locks, what guests hold, events
  /var/lib/prmig/journal/  hand-overs in flight, for prmig recover

Files are written under another name, synced, and renamed; a damaged one is reported and set aside. None is readable by
everybody. Environment variables:

  PRMIG_RUN_DIR    another directory instead of /run/prmig
  PRMIG_STATE_DIR  another directory instead of /var/lib/prmig
  NO_COLOR         no colours, also on a terminal
`,
};
