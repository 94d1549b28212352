/**
 * What every machine of the lab is told when it starts, whatever runs its kernel, and how it says how it ended: files in
 * its out directory, which is /lab-out inside.
 *
 *   lab.env, environment.sh, command.sh    in: where things are, the command's variables, the command
 *   started, exit-code or failure          out
 *
 * @module
 */
import { exists } from "./cache.ts";
import { LabDied, LabUnavailable, quote } from "./command.ts";
import type { GuestKit } from "../guest/kit.ts";

/** What a machine is to do, and with what. */
export interface Orders {
  /** The repository; the command starts there, at the same path as outside. */
  readonly repository: string;
  readonly command: readonly string[];
  /** Variables for the command, besides the lab's own. */
  readonly env: Record<string, string>;
  /** A directory for logs and results. */
  readonly out: string;
  /** Connects the command to this program's terminal. */
  readonly interactive: boolean;
  /** False for a machine without the lab's LUNs. */
  readonly luns?: boolean;
}

/** What the machine's first programs need to know besides. */
export interface Place {
  /** What runs the kernel: init/main.sh speaks to the outside in that way. */
  readonly machine: "qemu" | "um";
  readonly toolsRoot: string;
  readonly modules: string;
  readonly busybox: string;
  readonly guest: GuestKit;
}

/** Takes what a command prints. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** What the machine reads when it starts: init/initramfs.sh, init/user_mode.sh and init/main.sh say how. */
export async function writeOrders(orders: Orders, place: Place): Promise<void> {
  const { out, interactive, luns = true } = orders;
  const variables = {
    LAB_MACHINE: place.machine,
    LAB_TOOLS: place.toolsRoot,
    LAB_MODULES: place.modules,
    LAB_BUSYBOX: place.busybox,
    LAB_REPO: orders.repository,
    LAB_DENO: Deno.execPath(),
    LAB_INTERACTIVE: interactive ? "1" : "",
    LAB_LUNS: luns ? "1" : "",
  };
  await Deno.writeTextFile(`${out}/lab.env`, shellVariables(variables));
  const environment = {
    HOME: Deno.env.get("HOME") ?? "/root",
    LANG: "C.UTF-8",
    TERM: Deno.env.get("TERM") ?? "dumb",
    DENO_NO_UPDATE_CHECK: "1",
    PRMIG_LAB_MACHINE: place.machine,
    PRMIG_LAB_JSON: "/run/prmig-lab/lab.json",
    PRMIG_LAB_OUT: "/lab-out",
    PRMIG_LAB_GUEST: JSON.stringify(place.guest),
    ...orders.env,
  };
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  await Deno.writeTextFile(`${out}/environment.sh`, exports.join(""));
  const size = interactive && Deno.stdout.isTerminal() ? Deno.consoleSize() : undefined;
  const terminal = size ? `stty rows ${size.rows} cols ${size.columns}\n` : "";
  const command = `exec ${orders.command.map(quote).join(" ")}\n`;
  await Deno.writeTextFile(`${out}/command.sh`, `${terminal}cd ${quote(orders.repository)} || exit 1\n${command}`);
}

function shellVariables(values: Record<string, string>): string {
  return Object.entries(values).map(([name, value]) => `${name}=${quote(value)}\n`).join("");
}

/** How the program that ran the machine ended. */
export interface MachineEnd {
  /** Its name, for people. */
  readonly program: string;
  readonly code: number;
  /** Its time limit, after which timeout(1) ended it. */
  readonly seconds: number;
  /** What it printed about itself. */
  readonly complaint: string;
}

/**
 * The command's exit code.
 *
 * @throws LabUnavailable if it was never started
 * @throws LabDied if it was, and the machine ended before it did
 */
export async function outcome(out: string, { program, code, seconds, complaint }: MachineEnd): Promise<number> {
  if (await exists(`${out}/exit-code`)) return Number(await Deno.readTextFile(`${out}/exit-code`));
  const Failure = await exists(`${out}/started`) ? LabDied : LabUnavailable;
  if (await exists(`${out}/failure`)) throw new Failure((await Deno.readTextFile(`${out}/failure`)).trim());
  if (code === 124 || code === 137) throw new Failure(`ended after ${seconds} s, its time limit`);
  throw new Failure(`${program} ended with ${code} before the command did${complaint === "" ? "" : `: ${complaint}`}`);
}
