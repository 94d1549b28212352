/**
 * Debian's user-mode Linux: a kernel that is a program, and its modules.
 *
 * @module
 */
import { resolveVersion, unpackPackage } from "./apt.ts";
import { cached } from "./cache.ts";
import { output } from "./command.ts";
import type { Tool } from "./vmlinux.ts";

const PACKAGE = "user-mode-linux";
/** Raise it when the directory in the cache gets another content under the same name. */
const RECIPE = 1;

/** All paths are absolute. */
export interface UserModeKit {
  readonly kernelVersion: string;
  /** The kernel. */
  readonly program: string;
  /** To be mounted on /lib/modules. */
  readonly modules: string;
}

/** Unpacks it into the cache, once. @throws LabUnavailable */
export async function provideUserMode(depmod: Tool, say: (line: string) => void): Promise<UserModeKit> {
  const version = await resolveVersion(PACKAGE);
  const path = await cached(`user-mode-${version}-${RECIPE}`, async (directory) => {
    say(`unpacking ${PACKAGE} ${version}`);
    await unpackPackage(PACKAGE, version, directory);
    await Deno.mkdir(`${directory}/lib`);
    await Deno.rename(`${directory}/usr/lib/uml/modules`, `${directory}/lib/modules`);
    await output([depmod.path, "-b", directory, kernelIn(directory)], { env: depmod.env });
  });
  return { kernelVersion: kernelIn(path), program: `${path}/usr/bin/linux.uml`, modules: `${path}/lib/modules` };
}

function kernelIn(directory: string): string {
  return [...Deno.readDirSync(`${directory}/lib/modules`)][0]!.name;
}
