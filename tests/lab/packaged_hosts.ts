/**
 * Two hosts that share the lab's LUN, on one kernel. What runs on a host finds only that host's path, keeps its journal and
 * state for itself, and runs the very file that the packages install; `ssh dst` leads to the other host.
 *
 *     src   nexus B   has registered and holds
 *     dst   nexus A
 *     peer  nexus C   has registered under a key of its own
 *
 * On either host the LUN is /dev/sdb. That is its own name on src; on dst it is nexus A's node under that name.
 *
 * @module
 */
import { type Finished, lun, type NexusName, register, reserve, run, type RunOptions, startSshd } from "./support.ts";

const DIRECTORY = "/run/lab-hosts";
/** What the LUN is called on either host. */
const NAME = "/dev/sdb";
const PROGRAM = "/usr/bin/prmig";
const PATH = `${DIRECTORY}/bin:/usr/bin:/bin:/usr/sbin:/sbin`;
const PLACES: Readonly<Record<HostName, NexusName>> = { src: "B", dst: "A" };

/** Keys of the scene: what src holds, and the peer's own. */
export const HELD = 0x123abcn, PEER = 0x456defn;

export type HostName = "src" | "dst";

/** Two hosts, until they are disposed of. */
export interface Hosts extends AsyncDisposable {
  /** Runs a line of shell on a host, with the environment of a login. */
  shell(host: HostName, line: string, options?: RunOptions): Promise<Finished>;
  /** What came over ssh on standard error since this was asked last: kept apart, as the two sides write at the same time. */
  heardFromDst(): string;
}

/** Puts the packaged program where a package puts it. Only where run_suite.ts has built it. */
export async function installProgram(): Promise<string> {
  const built = Deno.env.get("PRMIG_LAB_BINARY");
  if (built === undefined) throw new Error("there is no built file: run this with deno task test:lab");
  try {
    await Deno.stat(PROGRAM);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.copyFile(built, PROGRAM);
    await Deno.chmod(PROGRAM, 0o755);
  }
  return PROGRAM;
}

/** Makes both hosts. */
export async function startHosts(): Promise<Hosts> {
  await installProgram();
  for (const name of ["src", "dst"] as const) await makeHost(name);
  const sshd = await startSshd({ forceCommand: `exec ${DIRECTORY}/dst/enter sh -c "$SSH_ORIGINAL_COMMAND"` });
  await Deno.mkdir(`${DIRECTORY}/bin`, { recursive: true });
  const [program, ...options] = sshd.command.slice(0, -1);
  const heard = `${DIRECTORY}/heard`;
  const words = `${options.join(" ")} -o HostName=localhost "$@" 2>>${heard}`;
  await script(`${DIRECTORY}/bin/ssh`, `exec /usr/bin/${program} ${words}`);
  await Deno.writeTextFile(heard, "");
  return {
    heardFromDst: () => {
      const text = Deno.readTextFileSync(heard);
      Deno.truncateSync(heard);
      return text;
    },
    shell: (host, line, options = {}) => run([`${DIRECTORY}/${host}/enter`, "sh", "-c", line], options),
    [Symbol.asyncDispose]: async () => {
      await sshd.stop();
      await Deno.remove(DIRECTORY, { recursive: true });
    },
  };
}

/** What every document begins with: src holds under a key, a peer is registered under another. */
export async function heldBySrc(): Promise<void> {
  const { B, C } = lun().nexuses;
  await register(B, HELD);
  await register(C, PEER);
  await reserve(B, HELD, 5);
}

async function makeHost(name: HostName): Promise<void> {
  const own = `${DIRECTORY}/${name}`;
  for (const directory of ["devices", "run", "state"]) await Deno.mkdir(`${own}/${directory}`, { recursive: true });
  const { hctl } = lun().nexuses[PLACES[name]];
  const device = await Deno.realPath(`/sys/class/scsi_device/${hctl}`);
  await Deno.symlink(device, `${own}/devices/${hctl}`);
  const binds = [["devices", "/sys/class/scsi_device"], ["run", "/run/prmig"], ["state", "/var/lib/prmig"]]
    .map(([from, to]) => `mkdir -p ${to}; mount --bind ${own}/${from} ${to}`).join("; ");
  // env clears what the test has; the rest is what a login gives
  const login = `exec env -i PATH=${PATH} HOME=/root USER=root LANG=C.UTF-8 TERM=dumb "$@"`;
  const { sd } = lun().nexuses[PLACES[name]];
  const renamed = sd === NAME ? "" : `mount --bind ${sd} ${NAME};`;
  const inside = `set -e; ${binds}; ${renamed} hostname ${name}; ${login}`;
  await script(`${own}/enter`, `exec unshare --mount --uts sh -c '${inside}' enter "$@"`);
}

async function script(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`);
  await Deno.chmod(path, 0o755);
}
