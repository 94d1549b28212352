/**
 * Why the kernel's events cannot be had, in words an operator can act on. Pure but for two attributes read on demand.
 *
 * @module
 */

/** Kernel events are not to be had; the watch goes on without them, or not at all. */
export class KernelUnavailable extends Error {
  override readonly name = "KernelUnavailable";
  /** `message`: what failed and what it means; `remedy`: what would make it work. */
  constructor(message: string, readonly remedy: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Explains a failed step of arming. `lockdown`: contents of /sys/kernel/security/lockdown, or null. */
export function explainFailure(
  step: string,
  code: string,
  lockdown: string | null,
  privileged: boolean,
): KernelUnavailable {
  const what = `${step}: ${code}`;
  if (lockdown?.includes("[confidentiality]")) {
    return new KernelUnavailable(
      `the kernel is locked down (confidentiality), which closes its traces (${what})`,
      "boot with lockdown=integrity or none, or go on with polling alone",
    );
  }
  switch (code) {
    case "EACCES":
    case "EPERM":
      return new KernelUnavailable(
        `not permitted to trace the kernel (${what})`,
        privileged ? "allow this service or container to write to tracefs" : "run as root",
      );
    case "EROFS":
      return new KernelUnavailable(`tracefs is mounted read-only (${what})`, "mount tracefs writable");
    case "ENOMEM":
      return new KernelUnavailable(
        `the kernel has no memory for a trace buffer (${what})`,
        "free memory, then start again",
      );
    case "ENOENT":
      return new KernelUnavailable(
        `this kernel offers no SCSI trace events (${what})`,
        "load the SCSI core (modprobe scsi_mod), or use a kernel with tracing",
      );
    default:
      return new KernelUnavailable(
        `cannot set up kernel tracing (${what})`,
        "go on with polling alone, and report this",
      );
  }
}
