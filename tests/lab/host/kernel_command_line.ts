/**
 * What every kernel of the lab is booted with.
 *
 * `no_timer_check`: at boot the kernel counts timer ticks in a loop that takes a moment, and panics ("IO-APIC + timer doesn't
 * work!") when an emulated processor was held up just then. Where a hypervisor is detected the kernel leaves that out by itself;
 * under emulation it must be told.
 *
 * @module
 */

/** Words of the command line; a kernel that panics makes QEMU end. */
export const KERNEL_COMMAND_LINE = "console=ttyS0 quiet panic=-1 no_timer_check";
