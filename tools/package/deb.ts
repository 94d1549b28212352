/**
 * The Debian package: the tree, Debian's own files beside it, and dpkg-deb. The same sources give the same bytes.
 *
 *     deno run -A tools/package/deb.ts [--binary dist/prmig] [--output dist] [--compression xz|gzip|zstd] [--level N]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Release, release, releaseNotes } from "../release.ts";
import { gzipped, installedTree, text, type Tree, writeTree } from "./tree.ts";

const ROOT = new URL("../../", import.meta.url);
/** Who answers for the package; whoever builds it for others puts in their own. */
const MAINTAINER = Deno.env.get("DEBFULLNAME") !== undefined && Deno.env.get("DEBEMAIL") !== undefined
  ? `${Deno.env.get("DEBFULLNAME")} <${Deno.env.get("DEBEMAIL")}>`
  : "The prmig authors <maintainers@prmig.example>";
/** Deno's names of machines, as Debian has them. */
const ARCHITECTURES: Readonly<Record<number, string>> = { 62: "amd64", 183: "arm64" };
const SCRIPTS = ["postinst", "prerm", "postrm"] as const;

/** How to pack. */
export interface Packing {
  readonly compression: string;
  /** Null for the compressor's own. */
  readonly level: string | null;
}

/** Packs a binary. Gives the path of the package. Throws with what dpkg-deb said. */
export async function buildDeb(binary: string, directory: string, packing: Packing): Promise<string> {
  const made = release();
  const bytes = await Deno.readFile(binary);
  const architecture = ARCHITECTURES[bytes[18]! + 256 * bytes[19]!];
  if (architecture === undefined) throw new Error(`${binary} is for no machine that Debian has a name for here`);
  const tree = await debianTree(bytes, made);
  const stage = await Deno.makeTempDir({ prefix: "prmig-deb-" });
  try {
    await Deno.chmod(stage, 0o755);
    await writeTree(stage, tree);
    await writeControl(stage, tree, made, architecture);
    await Deno.mkdir(directory, { recursive: true });
    const path = `${directory}/prmig_${debianVersion(made)}_${architecture}.deb`;
    const level = packing.level === null ? [] : [`-z${packing.level}`];
    await run(["dpkg-deb", "--root-owner-group", `-Z${packing.compression}`, ...level, "--build", stage, path], made);
    return path;
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

/** Version of the package: ours, and Debian's revision of it. */
export function debianVersion({ version }: Release): string {
  return `${version}-1`;
}

async function debianTree(binary: Uint8Array<ArrayBuffer>, made: Release): Promise<Tree> {
  const tree = await installedTree(binary, made);
  const read = (path: string): Promise<string> => Deno.readTextFile(new URL(path, ROOT));
  tree.set("usr/share/doc/prmig/copyright", text(await read("packaging/debian/copyright")));
  tree.set("usr/share/doc/prmig/changelog.gz", await gzipped(await read("CHANGELOG.md")));
  tree.set("usr/share/doc/prmig/changelog.Debian.gz", await gzipped(debianChangelog(await read("CHANGELOG.md"), made)));
  tree.set("usr/share/lintian/overrides/prmig", text(await read("packaging/debian/lintian-overrides")));
  return tree;
}

/** The newest release in Debian's form. */
function debianChangelog(changelog: string, made: Release): string {
  const points = releaseNotes(changelog, made.version).split(/\n(?=- )/).filter((point) => point.startsWith("- "))
    .map((point) => `  * ${point.slice(2).replaceAll(/\s*\n\s*/g, " ").replace(/\s*###.*$/, "")}`)
    .flatMap((point) => fold(point));
  const date = new Date(made.epoch * 1000).toUTCString().replace("GMT", "+0000");
  return `prmig (${debianVersion(made)}) unstable; urgency=medium\n\n${
    points.join("\n")
  }\n\n -- ${MAINTAINER}  ${date}\n`;
}

/** Lines of at most 78 characters, those after the first indented. */
function fold(line: string): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > 78) {
    const at = rest.lastIndexOf(" ", 78);
    if (at <= 4) break;
    lines.push(rest.slice(0, at));
    rest = `    ${rest.slice(at + 1)}`;
  }
  return [...lines, rest];
}

async function writeControl(stage: string, tree: Tree, made: Release, architecture: string): Promise<void> {
  const directory = `${stage}/DEBIAN`;
  await Deno.mkdir(directory, { mode: 0o755 });
  const kib = [...tree.values()].reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 1024), 0);
  await Deno.writeTextFile(`${directory}/control`, controlFile(made, architecture, kib));
  const sums = await Promise.all([...tree].map(async ([path, { bytes }]) => `${await md5(bytes)}  ${path}\n`));
  await Deno.writeTextFile(`${directory}/md5sums`, sums.join(""));
  for (const name of SCRIPTS) {
    await Deno.copyFile(new URL(`packaging/debian/${name}`, ROOT), `${directory}/${name}`);
    await Deno.chmod(`${directory}/${name}`, 0o755);
  }
}

function controlFile(made: Release, architecture: string, kib: number): string {
  return `Package: prmig
Version: ${debianVersion(made)}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${kib}
Depends: libc6 (>= 2.27), libgcc-s1
Recommends: systemd
Suggests: openssh-client, sg3-utils, multipath-tools
Section: admin
Priority: optional
Description: move SCSI-3 persistent reservations between hosts
 A persistent reservation belongs to one initiator port talking to one target
 port. A virtual machine that holds one loses it when it is live-migrated:
 its I/O comes from another port and gets RESERVATION CONFLICT, while the old
 host keeps the reservation.
 .
 prmig moves the key and the type of the reservation from one host to the
 other, atomically, and puts it back if the migration fails. It works beside
 any QEMU from 2.11 on without a patch, and without QEMU at all. It also shows
 who holds a LUN, follows who takes it, and decodes what the kernel logs.
`;
}

async function md5(bytes: Uint8Array): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("md5").update(bytes).digest("hex");
}

async function run(argv: readonly string[], { epoch }: Release): Promise<void> {
  const [program, ...args] = argv as [string, ...string[]];
  const { success, stderr } = await new Deno.Command(program, {
    args,
    env: { SOURCE_DATE_EPOCH: String(epoch), LC_ALL: "C" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${argv.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      binary: { type: "string", default: "dist/prmig" },
      output: { type: "string", default: "dist" },
      compression: { type: "string", default: "xz" },
      level: { type: "string" },
    },
  });
  const { binary, output, compression, level } = values;
  console.log(await buildDeb(binary, output, { compression, level: level ?? null }));
}
