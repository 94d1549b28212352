/**
 * Who needs which privileges, and why. Pure data; tests/lab/suite/privileges_test.ts tries them.
 *
 * @module
 */
import type { Topic } from "./topic.ts";

export const privileges: Topic = {
  summary: "what a command needs besides root",
  title: "Privileges",
  text: `
Root may do everything. Without it, the kernel asks for this:

  to read a LUN          dump, check     read permission on the node,
                                         and CAP_SYS_RAWIO
  to change a LUN        send, recv,     /dev/sgN: read and write permission
  through /dev/sgN       preempt, ...
  to change a LUN        send, recv,     read permission on the node,
  through /dev/sdX       preempt, ...    and CAP_SYS_RAWIO
  to see who did it      watch           write permission in tracefs: root
  to serve guests        snoop           CAP_SYS_RAWIO; it gives up the rest
  simulated LUNs         all             permissions of the file

CAP_SYS_RAWIO without root: \`setpriv --reuid USER --inh-caps +sys_rawio --ambient-caps +sys_rawio prmig dump /dev/sdX\`,
or AmbientCapabilities= in a unit of systemd. Whoever has it can send any command to every SCSI disk that they can open.

Where permission is missing, commands end with exit code 4, say which, and have sent nothing.
`,
};
