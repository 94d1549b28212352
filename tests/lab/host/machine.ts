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
import { exists } from "./cache.ts";
import { LabDied, LabUnavailable, quote } from "./command.ts";
import { KERNEL_COMMAND_LINE } from "./kernel_command_line.ts";

export interface MachineOptions {
  readonly kit: LabKit;
  readonly accelerator: "kvm" | "tcg";
  /** The repository; the command starts there, at the same path as outside. */
  readonly repository: string;
  readonly command: readonly string[];
  /** Variables for the command, besides the lab's own. */
  readonly env: Record<string, string>;
  /** A directory for logs and results, /lab-out inside. */
  readonly out: string;
  /** The whole machine is ended after this time. */
  readonly timeoutMs: number;
  /** Connects the command to this program's terminal. */
  readonly interactive: boolean;
  readonly memoryMiB: number;
  /** Virtual processors; two if undefined. */
  readonly processors?: number;
  /** More arguments for QEMU: disks, networks. */
  readonly devices?: readonly string[];
  /** False for a machine without the lab's LUNs. */
  readonly luns?: boolean;
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
    await writeOrders(options);
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
    return await outcome(out, status.code, seconds, (await complaints).trim());
  } finally {
    await Deno.remove(sockets, { recursive: true });
  }
}

export type Sink = (bytes: Uint8Array) => Promise<void>;

async function pour(connection: Deno.Conn, sink: Sink): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    await sink(buffer.subarray(0, count));
  }
}

async function outcome(out: string, qemuCode: number, seconds: number, complaint: string): Promise<number> {
  if (await exists(`${out}/exit-code`)) return Number(await Deno.readTextFile(`${out}/exit-code`));
  const Failure = await exists(`${out}/started`) ? LabDied : LabUnavailable;
  if (await exists(`${out}/failure`)) throw new Failure((await Deno.readTextFile(`${out}/failure`)).trim());
  if (qemuCode === 124 || qemuCode === 137) throw new Failure(`ended after ${seconds} s, its time limit`);
  throw new Failure(`QEMU ended with ${qemuCode} before the command did${complaint === "" ? "" : `: ${complaint}`}`);
}

/** What the machine reads when it starts: init/initramfs.sh and init/main.sh say how. */
async function writeOrders(options: MachineOptions): Promise<void> {
  const { kit, out } = options;
  const orders = {
    LAB_TOOLS: kit.toolsRoot,
    LAB_MODULES: kit.modules,
    LAB_BUSYBOX: kit.busybox,
    LAB_REPO: options.repository,
    LAB_DENO: Deno.execPath(),
    LAB_INTERACTIVE: options.interactive ? "1" : "",
    LAB_LUNS: options.luns ?? true ? "1" : "",
  };
  await Deno.writeTextFile(`${out}/lab.env`, shellVariables(orders));
  const environment = {
    HOME: Deno.env.get("HOME") ?? "/root",
    LANG: "C.UTF-8",
    TERM: Deno.env.get("TERM") ?? "dumb",
    DENO_NO_UPDATE_CHECK: "1",
    PRMIG_LAB_JSON: "/run/prmig-lab/lab.json",
    PRMIG_LAB_OUT: "/lab-out",
    PRMIG_LAB_GUEST: JSON.stringify(kit.guest),
    ...options.env,
  };
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  await Deno.writeTextFile(`${out}/environment.sh`, exports.join(""));
  const size = options.interactive && Deno.stdout.isTerminal() ? Deno.consoleSize() : undefined;
  const terminal = size ? `stty rows ${size.rows} cols ${size.columns}\n` : "";
  const command = `exec ${options.command.map(quote).join(" ")}\n`;
  await Deno.writeTextFile(`${out}/command.sh`, `${terminal}cd ${quote(options.repository)} || exit 1\n${command}`);
}

function shellVariables(values: Record<string, string>): string {
  return Object.entries(values).map(([name, value]) => `${name}=${quote(value)}\n`).join("");
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
