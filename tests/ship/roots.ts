/**
 * Debian 12 roots to install into: made once with debootstrap, kept beside the lab's cache, copied for every run.
 *
 *   clean      what a stock host has and no more: no Deno, no Node, no compiler
 *   workshop   the same with what inspects packages: lintian, rpmbuild, zsh, fish
 *
 * @module
 */
import { missingPackages, unpackInstall } from "../lab/host/apt.ts";
import { cached, exists, shortHash } from "../lab/host/cache.ts";
import { output } from "../lab/host/command.ts";

const SUITE = "bookworm";
const MIRROR = "http://deb.debian.org/debian";
/** Beside the essential packages: manual pages, completion, units. */
const CLEAN = ["man-db", "bash-completion", "systemd"];
const WORKSHOP = ["lintian", "rpm", "zsh", "fish"];
/** Raise it when a root gets another content under the same name. */
const RECIPE = 1;

/** Programs for the machine: what makes roots, and what boots one. */
const TOOLS = ["debootstrap", "systemd-container"];

/** Everything the suite runs in. */
export interface Roots {
  readonly clean: string;
  readonly workshop: string;
  /** systemd-nspawn, with what it needs to run. */
  readonly nspawn: Tool;
}

/** A program and the environment it needs. */
export interface Tool {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes what is not there yet. Needs root, and Debian's mirror for the first time. */
export async function provideRoots(say: (line: string) => void): Promise<Roots> {
  const tools = await provideTools(say);
  const clean = await cached(`ship-${SUITE}-${await shortHash([RECIPE, ...CLEAN].join())}`, async (path) => {
    say("making a clean Debian 12 root with debootstrap; two minutes, once");
    const { path: debootstrap, env } = await tool("usr/sbin/debootstrap", tools);
    const words = ["--variant=minbase", "--merged-usr", `--include=${CLEAN.join(",")}`, SUITE, path, MIRROR];
    await output(["sh", debootstrap, ...words], { env });
    await output(["chroot", path, "apt-get", "clean"]);
  });
  const name = `ship-workshop-${await shortHash([RECIPE, clean, ...WORKSHOP].join())}`;
  const workshop = await cached(name, async (path) => {
    say(`adding ${WORKSHOP.join(", ")} to a copy of it; a minute, once`);
    await output(["cp", "-a", "--reflink=auto", `${clean}/.`, path]);
    await Deno.copyFile("/etc/resolv.conf", `${path}/etc/resolv.conf`);
    const words = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", ...WORKSHOP];
    await output([...within(path), ...words], { env: { DEBIAN_FRONTEND: "noninteractive" } });
    await output(["chroot", path, "apt-get", "clean"]);
  });
  return { clean, workshop, nspawn: await tool("usr/bin/systemd-nspawn", tools) };
}

/** Directory with the packages this machine lacks; empty when it lacks none. */
async function provideTools(say: (line: string) => void): Promise<string> {
  const missing = await missingPackages(TOOLS);
  if (missing.length === 0) return "";
  const path = await cached(`ship-tools-${await shortHash([RECIPE, ...missing].join())}`, (directory) => {
    say(`unpacking ${missing.join(", ")} (not installed here)`);
    return unpackInstall(missing, directory);
  });
  return `${path}/root`;
}

async function tool(path: string, tools: string): Promise<Tool> {
  if (tools === "" || !await exists(`${tools}/${path}`)) return { path: `/${path}`, env: {} };
  const libraries = `${tools}/usr/lib/${Deno.build.arch}-linux-gnu`;
  return {
    path: `${tools}/${path}`,
    env: {
      DEBOOTSTRAP_DIR: `${tools}/usr/share/debootstrap`,
      LD_LIBRARY_PATH: `${libraries}:${libraries}/systemd`,
      PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin:${tools}/usr/sbin:${tools}/usr/bin`,
    },
  };
}

/** The words that run a program within a root, with a /proc of its own; nothing stays mounted. */
export function within(root: string): string[] {
  return ["unshare", "--mount", "--pid", "--fork", "--kill-child", `--mount-proc=${root}/proc`, "chroot", root];
}
