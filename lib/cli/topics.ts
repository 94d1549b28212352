/**
 * What concerns more than one command, for `prmig help TOPIC`; man pages take it from here, too.
 *
 * Pure data. A paragraph that begins with a blank is shown as it stands.
 *
 * @module
 */
import { concepts } from "./topics/concepts.ts";
import { conflict } from "./topics/conflict.ts";
import { files } from "./topics/files.ts";
import { privileges } from "./topics/privileges.ts";
import { stream } from "./topics/stream.ts";
import type { Topic } from "./topics/topic.ts";

export type { Topic } from "./topics/topic.ts";

/** Topics by name. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  concepts,
  conflict,
  addresses: {
    summary: "how a device is named",
    title: "Addresses",
    text: `
A device is named by any of these:

  /dev/sg3             SCSI generic node
  /dev/sdb             block node of the same disk
  /dev/disk/by-id/...  any link to one of them
  /dev/mapper/NAME     multipath device: all its paths
  sim:FILE?nexus=NAME  a simulated LUN kept in FILE, through the nexus NAME

A simulated LUN needs no hardware and no root: several processes may share one file, each under a nexus name of its
own, and it answers as the standard says a disk should. FILE must be there; with &create behind the name it is made. In
a shell, put the address in quotes: 'sim:lun.json?nexus=A&create'.

The node /dev/sdX does not let an unprivileged user send reservation commands (CAP_SYS_RAWIO is needed), whatever its
mode; /dev/sgN only asks for read and write permission.
`,
  },
  "exit-codes": {
    summary: "what the exit status tells a script",
    title: "Exit status",
    text: `
Every command ends with one of these, and never says 0 when it is not sure:

    0  done
    1  failed, and the LUN is as before (rolled back)
    2  wrong words on the command line; nothing was opened
    3  refused: the LUN's state is not what was expected (stale, fenced, a third
       party, another LUN, a shared key)
    4  the device cannot do it (not SCSI, no persistent reservations, no
       permission, gone)
    5  outcome unknown or recovery needed; the message says which command to run
  130  interrupted, and the LUN is as before

With --json the error is one JSON object on stderr:
{"error":{"kind","message","device","command","status","lun","remedy"}}; kind is one of failed, usage, refused, device,
unsure, interrupted, defect.
`,
  },
  keys: {
    summary: "how reservation keys and types are written",
    title: "Keys and types",
    text: `
A reservation key is 64 bits, written as 0x and 16 hex digits. It is read with or without 0x and leading zeros: 123abc,
0x123abc and 0x0000000000123abc are the same key. Key 0 is never registered.

A reservation type is written as its code, its short form, or its name:

  1  WE     Write Exclusive
  3  EA     Exclusive Access
  5  WE-RO  Write Exclusive, Registrants Only
  6  EA-RO  Exclusive Access, Registrants Only
  7  WE-AR  Write Exclusive, All Registrants
  8  EA-AR  Exclusive Access, All Registrants

A duration is written with its unit: 500ms, 30s, 2m, 1h.
`,
  },
  files,
  privileges,
  stream,
};
