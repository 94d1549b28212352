/**
 * Which machine of the lab each test file is run on: user-mode Linux, which is quicker, unless it needs what only the virtual
 * machine has. Pure.
 *
 * @module
 */

/** What runs the kernel. */
export type Machine = "um" | "qemu";

const TRACING = "the kernel's trace events";

/** Files that need the virtual machine, and what of it. */
export const NEEDS_QEMU: Readonly<Record<string, string>> = {
  "check_test.ts": TRACING,
  "migrate_many_test.ts": TRACING,
  "new_user_test.ts": TRACING,
  "privileges_test.ts": TRACING,
  "watch_commands_test.ts": TRACING,
  "watch_guest_test.ts": TRACING,
  "watch_helper_test.ts": TRACING,
  "watch_polled_test.ts": TRACING,
  "watch_tracing_test.ts": TRACING,
  "watch_view_test.ts": TRACING,
  "differential_tgt_test.ts": "open-iscsi",
  "iscsi_test.ts": "open-iscsi",
  "snoop_hostile_test.ts": "two processors: threads that really run at once",
};

/** Has something to do on each. */
const ON_BOTH: readonly string[] = ["bench_test.ts"];

/** The files for each machine, in their order; a machine for which there is none is left out. */
export function partsOf(files: readonly string[]): { machine: Machine; files: string[] }[] {
  const machines: readonly Machine[] = ["um", "qemu"];
  return machines.map((machine) => ({ machine, files: files.filter((file) => belongs(file, machine)) }))
    .filter(({ files }) => files.length > 0);
}

function belongs(file: string, machine: Machine): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return ON_BOTH.includes(name) || (Object.hasOwn(NEEDS_QEMU, name) ? "qemu" : "um") === machine;
}
