/**
 * Boots the lab's machine once and runs one command in it.
 *
 *   ttyS0                kernel messages            -> console.log in the out directory
 *   lab.stdout, .stderr  virtio ports, byte clean   -> the streams given by the caller
 *   lab.stdin            virtio port                   what the caller says to the command, if he wants to say anything
 *   lab.alive            virtio port                   closed when this program ends, however it ends: the machine ends too
 *   hvc0                 virtio console                in place of the three, with a terminal (interactive)
 *   out                  9p share                      lab.env, environment.sh and command.sh in; started, exit-code or failure out
 *   qemu.pid             file in the out directory     for whoever wants to cut the machine's power
 *
 * @module
 */
import type { LabKit } from "../provision.ts";
import { KERNEL_COMMAND_LINE } from "./kernel_command_line.ts";
import { type Orders, outcome, type Sink, writeOrders } from "./orders.ts";

export interface MachineOptions extends Orders {
  readonly kit: LabKit;
  readonly accelerator: "kvm" | "tcg";
  /** The whole machine is ended after this time. */
  readonly timeoutMs: number;
  readonly memoryMiB: number;
  /** Virtual processors; two if undefined. */
  readonly processors?: number;
  /** More arguments for QEMU: disks, networks. */
  readonly devices?: readonly string[];
  /** Speaks to the command's standard input, which is empty if undefined. */
  readonly stdin?: (port: Deno.Conn) => Promise<void>;
  /** Ends the machine when it fires. */
  readonly signal: AbortSignal;
}

/**
 * The command's exit code.
 *
 * @throws LabUnavailable if it was never started
 * @throws LabDied if it was, and the machine ended before it did
 */
export async function runMachine(options: MachineOptions, stdout: Sink, stderr: Sink): Promise<number> {
  const { kit, out } = options;
  const sockets = await Deno.makeTempDir({ prefix: "prmig-lab-" });
  try {
    await writeOrders(options, { machine: "qemu", ...kit });
    const speak = options.stdin;
    const ports = options.interactive ? ["alive"] : ["alive", "stdout", "stderr", ...(speak ? ["stdin"] : [])];
    const listeners = ports.map((name) => ({
      name,
      listener: Deno.listen({ transport: "unix", path: `${sockets}/${name}` }),
    }));
    const seconds = Math.ceil(options.timeoutMs / 1000);
    // timeout(1) outlives us: were this program killed, QEMU would still end
    const qemu = new Deno.Command("timeout", {
      args: ["--foreground", "-k", "5", String(seconds), kit.qemu.path, ...qemuArguments(options, ports, sockets)],
      env: kit.qemu.env,
      stdin: options.interactive ? "inherit" : "null",
      stdout: options.interactive ? "inherit" : "piped",
      stderr: options.interactive ? "inherit" : "piped",
    }).spawn();
    const stop = (): void => qemu.kill("SIGTERM");
    if (options.signal.aborted) stop();
    options.signal.addEventListener("abort", stop);
    const qemuEnded = qemu.status;
    const streams = listeners.map(async ({ name, listener }) => {
      using connection = await listener.accept();
      if (name === "alive") {
        await connection.write(new TextEncoder().encode("\n"));
        await qemuEnded; // nothing more is ever said here; that it is open is what counts
      } else if (name === "stdin") {
        await Promise.race([speak?.(connection), qemuEnded]);
      } else {
        await pour(connection, name === "stdout" ? stdout : stderr);
      }
    });
    const complaints = options.interactive ? "" : new Response(qemu.stderr).text();
    const drained = options.interactive ? undefined : qemu.stdout.pipeTo(new WritableStream());
    const status = await qemuEnded;
    options.signal.removeEventListener("abort", stop);
    for (const { listener } of listeners) listener.close();
    await Promise.allSettled(streams); // one that QEMU never connected ends with its listener
    await drained;
    return await outcome(out, { program: "QEMU", code: status.code, seconds, complaint: (await complaints).trim() });
  } finally {
    await Deno.remove(sockets, { recursive: true });
  }
}

async function pour(connection: Deno.Conn, sink: Sink): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    await sink(buffer.subarray(0, count));
  }
}

function qemuArguments(options: MachineOptions, ports: readonly string[], sockets: string): string[] {
  const { kit, out } = options;
  const accelerator = options.accelerator === "kvm"
    ? ["-accel", "kvm", "-cpu", "host"]
    : ["-accel", "tcg,thread=multi", "-cpu", "max"];
  const share = (path: string): string => path.replaceAll(",", ",,"); // QEMU's own escape
  const args = [
    ...accelerator,
    ...[
      "-smp",
      String(options.processors ?? 2),
      "-m",
      String(options.memoryMiB),
      "-nodefaults",
      "-display",
      "none",
      "-no-reboot",
    ],
    ...["-kernel", kit.vmlinux, "-initrd", kit.initrd, "-append", KERNEL_COMMAND_LINE],
    ...["-serial", `file:${share(`${out}/console.log`)}`, "-pidfile", `${out}/qemu.pid`],
    ...["-virtfs", "local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap"],
    ...["-virtfs", `local,path=${share(out)},mount_tag=out,security_model=none`],
    ...["-device", "virtio-serial-pci"],
    ...(options.devices ?? []),
  ];
  if (kit.toolsRoot !== "") {
    args.push("-virtfs", `local,path=${share(kit.toolsRoot)},mount_tag=tools,security_model=none,readonly=on`);
  }
  for (const name of ports) {
    args.push("-chardev", `socket,id=${name},path=${sockets}/${name}`);
    args.push("-device", `virtserialport,chardev=${name},name=lab.${name}`);
  }
  if (options.interactive) args.push("-chardev", "stdio,id=tty,signal=off", "-device", "virtconsole,chardev=tty");
  return args;
}
