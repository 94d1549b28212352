/**
 * The tree as a tar archive, `prmig-VERSION-linux-ARCH.tar.gz`: to be unpacked by hand, and what the RPM is made from.
 * The same tree gives the same bytes.
 *
 *     deno run -A tools/package/archive.ts [--binary dist/prmig] [--output dist] [--level 9]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Release, release } from "../release.ts";
import { installedTree, text, writeTree } from "./tree.ts";

const ROOT = new URL("../../", import.meta.url);
const MACHINES: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };

/** Packs a binary with everything beside it. Gives the path of the archive. Throws with what tar said. */
export async function buildArchive(binary: string, directory: string, level: number): Promise<string> {
  const made = release();
  const bytes = await Deno.readFile(binary);
  const machine = MACHINES[bytes[18]! + 256 * bytes[19]!];
  if (machine === undefined) throw new Error(`${binary} is for no machine that has a name here`);
  const tree = await installedTree(bytes, made);
  tree.set("usr/share/doc/prmig/LICENSE", text(await Deno.readTextFile(new URL("LICENSE", ROOT))));
  const stage = await Deno.makeTempDir({ prefix: "prmig-archive-" });
  try {
    const top = `prmig-${made.version}`;
    await writeTree(`${stage}/${top}`, tree);
    await Deno.mkdir(directory, { recursive: true });
    const path = `${directory}/${top}-linux-${machine}.tar.gz`;
    await tar(stage, top, path, level, made);
    return path;
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

async function tar(stage: string, top: string, path: string, level: number, { epoch }: Release): Promise<void> {
  const { success, stderr } = await new Deno.Command("tar", {
    args: [
      ...["--create", "--sort=name", `--mtime=@${epoch}`, "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"],
      ...["--mode=u+rwX,go+rX,go-w", `--use-compress-program=gzip -n -${level}`, `--file=${path}`],
      ...["--directory", stage, top],
    ],
    env: { LC_ALL: "C" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`tar: ${new TextDecoder().decode(stderr).trim()}`);
}

if (import.meta.main) {
  const { values: { binary, output, level } } = parseArgs({
    args: Deno.args,
    options: {
      binary: { type: "string", default: "dist/prmig" },
      output: { type: "string", default: "dist" },
      level: { type: "string", default: "9" },
    },
  });
  console.log(await buildArchive(binary, output, Number(level)));
}
