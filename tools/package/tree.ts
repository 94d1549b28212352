/**
 * What is installed where: the same files in the Debian package, the RPM and the archive.
 *
 *     usr/bin/prmig                     the one file
 *     usr/bin/prmig-virsh-migrate       the libvirt route
 *     usr/lib/systemd, tmpfiles.d, sysusers.d
 *     usr/share/man, bash-completion, zsh, fish
 *     usr/share/doc/prmig               what one should read, and the licences
 *
 * @module
 */
import { completionScripts } from "../completion/scripts.ts";
import { manualPages } from "../man/pages.ts";
import type { Release } from "../release.ts";
import { thirdPartyNotices } from "./notices.ts";

/** One file of the tree. */
export interface TreeFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mode: number;
}

/** Paths without a slash in front. */
export type Tree = Map<string, TreeFile>;

const ROOT = new URL("../../", import.meta.url);
/** From the repository, as they are. */
const AS_IS: readonly (readonly [from: string, to: string])[] = [
  ["packaging/systemd/prmig-snoop.service", "usr/lib/systemd/system/prmig-snoop.service"],
  ["packaging/systemd/prmig-snoop.socket", "usr/lib/systemd/system/prmig-snoop.socket"],
  ["packaging/prmig.tmpfiles", "usr/lib/tmpfiles.d/prmig.conf"],
  ["packaging/prmig.sysusers", "usr/lib/sysusers.d/prmig.conf"],
];
const COMPLETION_PATHS: Readonly<Record<string, string>> = {
  "prmig.bash": "usr/share/bash-completion/completions/prmig",
  "_prmig": "usr/share/zsh/vendor-completions/_prmig",
  "prmig.fish": "usr/share/fish/vendor_completions.d/prmig.fish",
};

/** Everything but what belongs to one kind of package. */
export async function installedTree(binary: Uint8Array<ArrayBuffer>, release: Release): Promise<Tree> {
  const tree: Tree = new Map([["usr/bin/prmig", { bytes: binary, mode: 0o755 }]]);
  const script = await Deno.readFile(new URL("packaging/libvirt/prmig-virsh-migrate", ROOT));
  tree.set("usr/bin/prmig-virsh-migrate", { bytes: script, mode: 0o755 });
  for (const [from, to] of AS_IS) tree.set(to, plain(await Deno.readFile(new URL(from, ROOT))));
  for (const [name, page] of manualPages(release)) {
    tree.set(`usr/share/man/man${name.at(-1)}/${name}.gz`, await gzipped(page));
  }
  for (const [name, script] of completionScripts()) tree.set(COMPLETION_PATHS[name]!, text(script));
  for (const path of documents()) {
    tree.set(`usr/share/doc/prmig/${path}`, plain(await Deno.readFile(new URL(path, ROOT))));
  }
  tree.set("usr/share/doc/prmig/THIRD-PARTY-NOTICES.gz", await gzipped(await thirdPartyNotices()));
  return tree;
}

/** A text as a file that everybody may read. */
export function text(content: string): TreeFile {
  return plain(new TextEncoder().encode(content));
}

/** A compressed text; the same text gives the same bytes. */
export async function gzipped(content: string): Promise<TreeFile> {
  const { gzipSync, constants } = await import("node:zlib");
  return plain(new Uint8Array(gzipSync(content, { level: constants.Z_BEST_COMPRESSION })));
}

/** Writes a tree below a directory. */
export async function writeTree(directory: string, tree: Tree): Promise<void> {
  for (const [path, { bytes, mode }] of tree) {
    const target = `${directory}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true, mode: 0o755 });
    await Deno.writeFile(target, bytes);
    await Deno.chmod(target, mode);
  }
}

function plain(bytes: Uint8Array<ArrayBuffer>): TreeFile {
  return { bytes, mode: 0o644 };
}

/** The README, and everything in docs/ but the records of decisions. */
function documents(): string[] {
  const docs = [...Deno.readDirSync(new URL("docs/", ROOT))].filter(({ isFile }) => isFile);
  return ["README.md", "SECURITY.md", ...docs.map(({ name }) => `docs/${name}`).sort()];
}
