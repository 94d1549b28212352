/**
 * The runtime that goes into the one file: exactly the pinned one, proved by its digest.
 *
 * @module
 */
import { RUNTIME_PACKAGE, RUNTIME_SHA256, RUNTIME_VERSION } from "./settings.ts";

/** Hex SHA-256. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * The executable for a machine: `path` if given, else the very runtime that is running, if that is the pinned one, else
 * npm's package. Throws when it is not what settings.ts says.
 */
export async function pinnedRuntime(arch: string, path: string | null): Promise<Uint8Array<ArrayBuffer>> {
  const wanted = RUNTIME_SHA256[arch];
  if (path !== null) {
    const bytes = await Deno.readFile(path);
    if (wanted !== undefined && await sha256(bytes) !== wanted) throw new Error(`${path} is not the pinned runtime`);
    return bytes;
  }
  if (wanted === undefined) throw new Error(`no runtime is pinned for ${arch}: name one with --runtime PATH`);
  if (Deno.build.arch === arch && Deno.version.deno === RUNTIME_VERSION) {
    const own = await Deno.readFile(Deno.execPath());
    if (await sha256(own) === wanted) return own;
  }
  const fetched = await fromNpm(arch);
  if (await sha256(fetched) !== wanted) {
    throw new Error(`${RUNTIME_PACKAGE[arch]}@${RUNTIME_VERSION} is not what it was`);
  }
  return fetched;
}

/** Unpacks the executable from npm's package. */
async function fromNpm(arch: string): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-runtime-" });
  try {
    await run(
      "npm",
      "pack",
      "--silent",
      "--pack-destination",
      directory,
      `${RUNTIME_PACKAGE[arch]}@${RUNTIME_VERSION}`,
    );
    const [archive] = [...Deno.readDirSync(directory)];
    await run("tar", "-xzf", `${directory}/${archive!.name}`, "-C", directory, "package/deno");
    return await Deno.readFile(`${directory}/package/deno`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}
