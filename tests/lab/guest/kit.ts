/**
 * What a guest boots, made on the machine: a small kernel, an initramfs, and the state of a guest that has booted, so
 * that it is up in the lab in seconds instead of a minute.
 *
 * @module
 */
import { missingPackages, planInstall, unpackInstall, unpackPackage } from "../host/apt.ts";
import { cached, exists, shortHash } from "../host/cache.ts";
import { LabUnavailable, output, quote } from "../host/command.ts";
import { characterDevice, directory, encodeCpio, file } from "../host/cpio.ts";
import { loadOrder } from "../host/modules.ts";
import { extractVmlinux, type Tool } from "../host/vmlinux.ts";
import { guestArguments, type GuestSpec } from "./command_line.ts";
import { Console } from "./console.ts";
import { Qmp } from "./qmp.ts";

/** Paths for a guest's QEMU; inside the lab they come as $PRMIG_LAB_GUEST. */
export interface GuestKit {
  readonly vmlinux: string;
  readonly initrd: string;
  /** A migration stream of a guest that said "guest: ready". */
  readonly saved: string;
}

export interface GuestParts {
  /** The package behind linux-image-cloud-amd64: it has no 9p, and boots twice as fast. */
  readonly image: { readonly package: string; readonly version: string };
  readonly busybox: string;
  readonly qemu: Tool;
  readonly depmod: Tool;
  /** How to find a program on the machine or in the unpacked packages. */
  readonly find: (program: string) => Promise<Tool>;
}

const COMPILER = ["gcc", "libc6-dev"];
const MODULES = ["sd_mod", "sg", "virtio_pci", "virtio_scsi"];
const READY_MS = 120_000;
const RECIPE = 2;

export async function provideGuest(parts: GuestParts, say: (line: string) => void): Promise<GuestKit> {
  const version = parts.image.package.replace("linux-image-", "");
  const kernel = await cached(`kernel-${version}_${parts.image.version}-${RECIPE}`, async (directory) => {
    say(`unpacking ${parts.image.package} ${parts.image.version} (the guest's kernel)`);
    await unpackPackage(parts.image.package, parts.image.version, directory);
    await extractVmlinux(`${directory}/boot/vmlinuz-${version}`, `${directory}/vmlinux`, parts.find);
    await Deno.remove(`${directory}/boot`, { recursive: true });
    await output([parts.depmod.path, "-b", directory, version], { env: parts.depmod.env });
  });
  const program = await provideProgram(say);
  const vmlinux = `${kernel}/vmlinux`;
  const initrd = await provideInitrd(kernel, version, program, parts.busybox);
  const qemuVersion = await output([parts.qemu.path, "--version"], { env: parts.qemu.env });
  const spec = { name: "guest", vmlinux, initrd, disks: [] };
  const shape = JSON.stringify(guestArguments({ ...spec, serial: "", qmp: [] }));
  const saved = await cached(`guest-${await shortHash([RECIPE, shape, qemuVersion].join("\n"))}`, async (directory) => {
    say("booting a guest once, to save its state");
    await saveState(parts.qemu, spec, directory);
  });
  return { vmlinux, initrd, saved: `${saved}/state` };
}

/** guest.c, compiled. The compiler is thrown away again if the machine had none. */
async function provideProgram(say: (line: string) => void): Promise<string> {
  const source = new URL("guest.c", import.meta.url).pathname;
  const missing = await missingPackages(COMPILER);
  const versions = missing.length === 0 ? [] : await planInstall(missing);
  const name = `guest-program-${await shortHash([RECIPE, ...versions, await Deno.readTextFile(source)].join("\n"))}`;
  const path = await cached(name, async (directory) => {
    const flags = ["-O2", "-Wall", "-Werror", "-static", "-o", `${directory}/guest`, source];
    if (missing.length === 0) {
      await output(["gcc", ...flags]);
      return;
    }
    say(`unpacking ${missing.join(", ")} (not installed here), to compile the guest's program`);
    const compiler = `${directory}/compiler`;
    await unpackInstall(missing, compiler);
    const root = `${compiler}/root`;
    await output([`${root}/usr/bin/gcc`, `--sysroot=${root}`, ...flags], {
      env: { PATH: `${root}/usr/bin:/usr/bin:/bin`, LD_LIBRARY_PATH: `${root}/usr/lib/x86_64-linux-gnu` },
    });
    await Deno.remove(compiler, { recursive: true });
  });
  return `${path}/guest`;
}

async function provideInitrd(kernel: string, version: string, program: string, busybox: string): Promise<string> {
  const init = await Deno.readTextFile(new URL("init.sh", import.meta.url));
  const name = `guest-initrd-${await shortHash([RECIPE, kernel, program, busybox, init].join("\n"))}`;
  const path = await cached(name, async (target) => {
    const base = `${kernel}/lib/modules/${version}`;
    const dependencies = await Deno.readTextFile(`${base}/modules.dep`);
    const builtin = await Deno.readTextFile(`${base}/modules.builtin`);
    const all = loadOrder(dependencies, builtin, MODULES);
    const entries = [
      ...["bin", "dev", "proc", "sys", "modules"].map(directory),
      characterDevice("dev/console", 5, 1),
      file("bin/busybox", await Deno.readFile(busybox)),
      file("bin/guest", await Deno.readFile(program)),
      file("init", init),
    ];
    for (const [at, module] of all.entries()) {
      const name = module.slice(module.lastIndexOf("/") + 1);
      const bytes = await Deno.readFile(`${base}/${module}`);
      entries.push(file(`modules/${String(at).padStart(2, "0")}-${name}`, bytes));
    }
    await Deno.writeFile(`${target}/initrd`, encodeCpio(entries));
  });
  return `${path}/initrd`;
}

/** Boots, waits for "guest: ready", and has QEMU write its state while the guest runs: a stopped one would stay so. */
async function saveState(qemu: Tool, spec: Omit<GuestSpec, "serial" | "qmp">, directory: string): Promise<void> {
  const sockets = await Deno.makeTempDir({ prefix: "prmig-lab-" });
  const [serial, qmpPath] = [`${sockets}/serial`, `${sockets}/qmp`];
  const child = new Deno.Command("timeout", {
    args: ["-k", "5", "180", qemu.path, ...guestArguments({ ...spec, serial, qmp: [qmpPath] })],
    env: qemu.env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const complaint = new Response(child.stderr).text();
  try {
    const deadline = Date.now() + READY_MS;
    while (!await exists(serial) || !await exists(qmpPath)) {
      if (Date.now() > deadline) throw new LabUnavailable("the guest's QEMU does not listen");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    using console = await Console.connect(serial);
    await console.line((text) => text.includes("guest: ready"), READY_MS);
    using qmp = await Qmp.connect(qmpPath);
    await qmp.execute("migrate", { uri: `exec:cat >${quote(`${directory}/state`)}` });
    await qmp.migrated(READY_MS);
    await qmp.execute("quit");
    await child.status;
  } catch (error) {
    child.kill("SIGTERM");
    await child.status;
    throw new LabUnavailable(`no state of a guest could be saved: ${(error as Error).message} ${await complaint}`);
  } finally {
    await Deno.remove(sockets, { recursive: true });
  }
}
