/**
 * How a guest's QEMU is started: the same for the state saved on the machine and for the guest in the lab, or the state
 * would not fit. Pure.
 *
 * @module
 */
import { KERNEL_COMMAND_LINE } from "../host/kernel_command_line.ts";

export interface GuestDisk {
  /** The host's device, for example /dev/sda. */
  readonly device: string;
  /** The socket of the pr-helper that executes this disk's reservation commands; none if undefined. */
  readonly helper?: string;
  /** More properties of the scsi-block device, for example "werror=stop". */
  readonly properties?: string;
}

export interface GuestSpec {
  readonly name: string;
  readonly vmlinux: string;
  readonly initrd: string;
  /** Paths of unix sockets on which QEMU listens. */
  readonly serial: string;
  readonly qmp: readonly string[];
  readonly disks: readonly GuestDisk[];
  /** A migration URI to wait for. */
  readonly incoming?: string;
  /** -S: stand still until `cont`. */
  readonly paused?: boolean;
  /** Any more arguments. */
  readonly extra?: readonly string[];
}

/** Arguments for qemu-system-x86_64. Disk N is target N, LUN 0: `disks` in the guest's init looks there. */
export function guestArguments(spec: GuestSpec): string[] {
  const args = [
    ...["-name", spec.name, "-M", "pc", "-accel", "tcg", "-m", "128"],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-kernel", spec.vmlinux, "-initrd", spec.initrd, "-append", KERNEL_COMMAND_LINE],
    ...["-chardev", `socket,id=serial,path=${spec.serial},server=on,wait=off`, "-serial", "chardev:serial"],
    ...spec.qmp.flatMap((path) => ["-qmp", `unix:${path},server=on,wait=off`]),
    ...["-device", "virtio-scsi-pci,id=hba"],
  ];
  for (const [target, { device, helper, properties }] of spec.disks.entries()) {
    if (helper !== undefined) args.push("-object", `pr-manager-helper,id=helper${target},path=${helper}`);
    const manager = helper === undefined ? "" : `,pr-manager=helper${target}`;
    args.push("-blockdev", `driver=host_device,node-name=disk${target},filename=${device}${manager}`);
    const more = properties === undefined ? "" : `,${properties}`;
    args.push(
      "-device",
      `scsi-block,id=scsi${target},drive=disk${target},bus=hba.0,scsi-id=${target},share-rw=on${more}`,
    );
  }
  if (spec.incoming !== undefined) args.push("-incoming", spec.incoming);
  if (spec.paused) args.push("-S");
  return [...args, ...spec.extra ?? []];
}
