/**
 * Gets together what the lab boots: a stock Debian kernel, an initramfs, and the programs that this machine lacks.
 *
 * Nothing is installed: packages are downloaded with apt-get and unpacked into a cache outside the repository. Running
 * it again does nothing; it can be run beforehand, `deno run -A tests/lab/provision.ts`, and tests/lab/boot.ts runs it
 * anyway.
 *
 * @module
 */
import { type GuestKit, provideGuest } from "./guest/kit.ts";
import { missingPackages, planInstall, resolveMetapackage, unpackInstall, unpackPackage } from "./host/apt.ts";
import { cached, exists, shortHash } from "./host/cache.ts";
import { LabUnavailable, output } from "./host/command.ts";
import { characterDevice, directory, encodeCpio, file } from "./host/cpio.ts";
import { loadOrder } from "./host/modules.ts";
import { extractVmlinux, type Tool } from "./host/vmlinux.ts";

/** What the lab needs on the machine and inside; whatever is not installed is unpacked into the tools directory. */
const PACKAGES = [
  ...["qemu-system-x86", "busybox-static", "kmod", "xz-utils", "util-linux"],
  ...["sg3-utils", "openssh-server", "openssh-client", "lz4"],
  ...["gcc", "libc6-dev", "tmux"], // small programs that send commands in their own ways; a terminal to look at
  "socat", // what a script would talk to QEMU with
  ...["open-iscsi", "tgt", "e2fsprogs"], // LUNs over a network, another target, and what hosts keep through a power cut
  // What only some runs by hand need (tests/lab/libvirt/).
  ...(Deno.env.get("PRMIG_LAB_PACKAGES") ?? "").split(",").filter((name) => name !== ""),
];

/** Modules for the initramfs; the others are loaded with modprobe once the root is there. */
const BOOT_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console"];

/** Half of the kernel package is drivers for hardware that a virtual machine does not have. */
const UNWANTED_MODULES = ["sound", "drivers/gpu", "drivers/media", "drivers/net/wireless", "drivers/staging"];

/** Raise it when a directory in the cache gets another content under the same name. */
const RECIPE = 5;

/** Everything a boot needs. All paths are absolute; `toolsRoot` is "" if the machine lacks nothing. */
export interface LabKit {
  readonly kernelVersion: string;
  readonly vmlinux: string;
  readonly initrd: string;
  /** To be mounted on /lib/modules. */
  readonly modules: string;
  readonly toolsRoot: string;
  readonly busybox: string;
  readonly qemu: Tool;
  readonly depmod: Tool;
  readonly guest: GuestKit;
}

export async function provision(say: (line: string) => void = () => {}): Promise<LabKit> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new LabUnavailable(`the lab boots an x86_64 Debian kernel, and this is ${Deno.build.arch} ${Deno.build.os}`);
  }
  const plan = await planPackages();
  const toolsRoot = await provideTools(plan, say);
  const find = (program: string): Promise<Tool> => findTool(program, toolsRoot);
  const kernel = await provideKernel(plan, find, say);
  const busybox = toolsRoot !== "" && await exists(`${toolsRoot}/usr/bin/busybox`)
    ? `${toolsRoot}/usr/bin/busybox`
    : "/usr/bin/busybox";
  const initrd = await provideInitrd(kernel, busybox);
  const qemu = await find("qemu-system-x86_64");
  const depmod = await find("depmod");
  const parts = { image: plan.guestImage, busybox, qemu, depmod, find };
  const guest = await provideGuest(parts, say);
  return {
    kernelVersion: kernel.version,
    vmlinux: `${kernel.path}/vmlinux`,
    initrd,
    modules: `${kernel.path}/lib/modules`,
    toolsRoot,
    busybox,
    qemu,
    depmod,
    guest,
  };
}

/** What has to come from packages, as apt sees it today. */
interface Plan {
  /** Packages that are not installed, and with what versions they and all they need would come. */
  readonly missing: readonly string[];
  readonly tools: readonly string[];
  /** The packages behind linux-image-amd64, which the lab boots, and linux-image-cloud-amd64, for guests in it. */
  readonly image: { readonly package: string; readonly version: string };
  readonly guestImage: { readonly package: string; readonly version: string };
}

/** Asking apt takes seconds, so the answer is kept as long as neither the installed packages nor the lists change. */
async function planPackages(): Promise<Plan> {
  const stamps = await Promise.all(["/var/lib/dpkg/status", "/var/lib/apt/lists"].map(async (path) => {
    const { mtime, size } = await Deno.stat(path);
    return `${path} ${mtime?.getTime()} ${size}`;
  }));
  const path = await cached(
    `plan-${await shortHash([RECIPE, ...PACKAGES, ...stamps].join("\n"))}`,
    async (directory) => {
      const missing = await missingPackages(PACKAGES);
      const tools = missing.length === 0 ? [] : await planInstall(missing);
      const image = await resolveMetapackage("linux-image-amd64");
      const guestImage = await resolveMetapackage("linux-image-cloud-amd64");
      const plan: Plan = { missing, tools, image, guestImage };
      await Deno.writeTextFile(`${directory}/plan.json`, JSON.stringify(plan));
    },
  );
  return JSON.parse(await Deno.readTextFile(`${path}/plan.json`));
}

async function provideTools({ missing, tools }: Plan, say: (line: string) => void): Promise<string> {
  if (missing.length === 0) return "";
  const path = await cached(`tools-${await shortHash([RECIPE, ...tools].join("\n"))}`, async (directory) => {
    say(`unpacking ${missing.join(", ")} (not installed here)`);
    await unpackInstall(missing, directory);
  });
  return `${path}/root`;
}

interface Kernel {
  readonly version: string;
  readonly path: string;
}

async function provideKernel(
  { image }: Plan,
  find: (program: string) => Promise<Tool>,
  say: (line: string) => void,
): Promise<Kernel> {
  const version = image.package.replace("linux-image-", "");
  const path = await cached(`kernel-${version}_${image.version}-${RECIPE}`, async (directory) => {
    say(`unpacking ${image.package} ${image.version}`);
    await unpackPackage(image.package, image.version, directory);
    await extractVmlinux(`${directory}/boot/vmlinuz-${version}`, `${directory}/vmlinux`, find);
    await Deno.remove(`${directory}/boot`, { recursive: true });
    for (const name of UNWANTED_MODULES) {
      await Deno.remove(`${directory}/lib/modules/${version}/kernel/${name}`, { recursive: true });
    }
    const depmod = await find("depmod");
    await output([depmod.path, "-b", directory, version], { env: depmod.env });
  });
  return { version, path };
}

async function provideInitrd(kernel: Kernel, busybox: string): Promise<string> {
  const init = await Deno.readTextFile(new URL("init/initramfs.sh", import.meta.url));
  const name = `initrd-${kernel.version}-${await shortHash([RECIPE, kernel.path, init, ...BOOT_MODULES].join("\n"))}`;
  const path = await cached(name, async (target) => {
    const base = `${kernel.path}/lib/modules/${kernel.version}`;
    const order = loadOrder(
      await Deno.readTextFile(`${base}/modules.dep`),
      await Deno.readTextFile(`${base}/modules.builtin`),
      BOOT_MODULES,
    );
    const entries = [
      ...["bin", "dev", "proc", "modules"].map(directory),
      characterDevice("dev/console", 5, 1),
      file("bin/busybox", await Deno.readFile(busybox)),
      file("init", init),
    ];
    for (const [at, module] of order.entries()) {
      const name = module.slice(module.lastIndexOf("/") + 1);
      entries.push(file(`modules/${String(at).padStart(2, "0")}-${name}`, await Deno.readFile(`${base}/${module}`)));
    }
    await Deno.writeFile(`${target}/initrd`, encodeCpio(entries));
  });
  return `${path}/initrd`;
}

/** The machine's own program of this name, or the one in the tools directory with what it needs to run from there. */
async function findTool(program: string, toolsRoot: string): Promise<Tool> {
  const directories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  for (const directory of directories) {
    if (await exists(`${directory}/${program}`)) return { path: `${directory}/${program}`, env: {} };
  }
  for (const directory of ["/usr/sbin", "/usr/bin"]) {
    if (toolsRoot === "" || !await exists(`${toolsRoot}${directory}/${program}`)) continue;
    const libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib"].map((name) => toolsRoot + name).join(":");
    return { path: `${toolsRoot}${directory}/${program}`, env: { LD_LIBRARY_PATH: libraries } };
  }
  throw new LabUnavailable(`${program} is neither installed nor in the unpacked packages`);
}

if (import.meta.main) {
  const kit = await provision((line) => console.error(`lab: ${line}`));
  console.log(JSON.stringify(kit, null, 2));
}
