/**
 * The stream between send and recv, in short; docs/stream-format.md specifies it and is prmig-stream(5). Pure data.
 *
 * @module
 */
import type { Topic } from "./topic.ts";

export const stream: Topic = {
  summary: "what send writes and recv reads",
  title: "The stream",
  text: `
The stream is text: one JSON object a line, keys as 0x and 16 hex digits.

  hello  version of the format, name of the hand-over, how the sides signal
  lun    one LUN: designator, key, type, one-time keys, who is registered
  end    number of LUNs, and a SHA-256 over everything before it

recv reads all of it and checks it before it sends anything to a LUN: a stream that was cut, altered, repeated or put in
another order changes nothing. Over a pipe the stream ends here, and the sides see each other's steps on the LUN; with
--to, --connect and --listen messages follow, one a line.

The stream holds reservation keys. They are no secrets (every host with access to the LUN can read them), but whoever can
write to the stream can make recv register and take: use ssh, or TLS with certificates on both sides.

Every field is specified in prmig-stream(5).
`,
};
