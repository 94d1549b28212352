/**
 * Finds out whether KVM really runs a guest here. On some machines /dev/kvm opens and guests then hang, so only a guest
 * that has spoken counts. The answer is kept until the machine boots again.
 *
 * @module
 */
import type { LabKit } from "../provision.ts";
import { cacheRoot, exists } from "./cache.ts";
import { KERNEL_COMMAND_LINE } from "./kernel_command_line.ts";

const PROBE_MS = 5000;

/** "kvm" if a throw-away guest said a word within five seconds, else "tcg" (emulation). */
export async function chooseAccelerator(kit: LabKit): Promise<"kvm" | "tcg"> {
  if (!await openable("/dev/kvm")) return "tcg";
  const bootId = (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).trim();
  const answer = `${cacheRoot()}/accelerator-${bootId}`;
  if (await exists(answer)) return await Deno.readTextFile(answer) === "kvm" ? "kvm" : "tcg";
  const found = await guestRuns(kit) ? "kvm" : "tcg";
  await Deno.writeTextFile(`${answer}.${Deno.pid}`, found);
  await Deno.rename(`${answer}.${Deno.pid}`, answer);
  return found;
}

async function guestRuns(kit: LabKit): Promise<boolean> {
  const qemu = new Deno.Command(kit.qemu.path, {
    args: [
      ...["-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot"],
      ...["-kernel", kit.vmlinux, "-initrd", kit.initrd, "-append", `${KERNEL_COMMAND_LINE} lab.probe`],
      ...["-serial", "stdio"],
    ],
    env: kit.qemu.env,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => qemu.kill("SIGKILL"), PROBE_MS);
  const said = await new Response(qemu.stdout).text();
  await qemu.status;
  clearTimeout(timer);
  return said.includes("lab: a guest runs");
}

async function openable(path: string): Promise<boolean> {
  try {
    (await Deno.open(path, { read: true, write: true })).close();
    return true;
  } catch {
    return false; // whatever the reason, emulation it is
  }
}
