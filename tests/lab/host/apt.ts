/**
 * Debian packages without installing any: what the machine lacks is downloaded and unpacked into a directory.
 *
 * Nothing is configured, no service starts, the machine's package state stays as it is; only root may have to run
 * `apt-get update` once, where the package lists are missing or older than the mirror.
 *
 * @module
 */
import { exists } from "./cache.ts";
import { LabUnavailable, output } from "./command.ts";

const QUIET = [
  "-qq",
  "-o",
  "APT::Sandbox::User=root", // otherwise apt warns that its own user cannot read our directory
  "-o",
  "Debug::NoLocking=1", // nothing is installed, so a running upgrade need not stop us
];

/** The packages of `names` that are not installed. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  const status = await output(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"]);
  const installed = new Set(
    status.split("\n").filter((line) => line.endsWith(" installed")).map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/** Name and version, `name=version`, of all packages that installing `names` would add or renew. */
export async function planInstall(names: readonly string[]): Promise<string[]> {
  const plan = await withLists(() =>
    output(["apt-get", "install", "-y", "--no-install-recommends", "--simulate", ...QUIET, ...names])
  );
  const packages = [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+)/gm)].map(([, name, version]) =>
    `${name}=${version}`
  );
  if (packages.length === 0) throw new LabUnavailable(`apt-get plans nothing for ${names.join(" ")}`);
  return packages.sort();
}

/** Unpacks `names` and all that they need into `directory`, as one tree laid out like a merged-/usr root. */
export async function unpackInstall(names: readonly string[], directory: string): Promise<void> {
  const archives = `${directory}/archives`;
  await Deno.mkdir(`${archives}/partial`, { recursive: true });
  await withLists(() =>
    output([
      ...["apt-get", "install", "-y", "--no-install-recommends", "--download-only", ...QUIET],
      ...["-o", `Dir::Cache::archives=${archives}`, ...names],
    ])
  );
  const root = `${directory}/root`;
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await Deno.mkdir(`${root}/usr/${name}`, { recursive: true });
    await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  }
  for (const file of Deno.readDirSync(archives)) {
    // tar, not `dpkg-deb -x`: that one would replace the four links by directories
    if (file.name.endsWith(".deb")) {
      await output(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -xC "$2" --keep-directory-symlink', "sh", ...[
        `${archives}/${file.name}`,
        root,
      ]]);
    }
  }
  await Deno.remove(archives, { recursive: true });
  await relinkWithin(root, root, 0);
}

/** Makes absolute links relative, so that they hold wherever the tree lies: /bin/kmod from usr/sbin is ../../bin/kmod. */
async function relinkWithin(root: string, directory: string, depth: number): Promise<void> {
  for await (const entry of Deno.readDir(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) await relinkWithin(root, path, depth + 1);
    if (!entry.isSymlink) continue;
    const target = await Deno.readLink(path);
    if (!target.startsWith("/") || !await exists(root + target)) continue;
    await Deno.remove(path);
    await Deno.symlink("../".repeat(depth) + target.slice(1), path);
  }
}

/** The package and version behind a metapackage, for example linux-image-amd64 -> linux-image-6.1.0-56-amd64. */
export async function resolveMetapackage(name: string): Promise<{ package: string; version: string }> {
  const depends = await withLists(() => output(["apt-cache", "depends", name]));
  const found = /Depends: (\S+)/.exec(depends)?.[1];
  if (found === undefined) throw new LabUnavailable(`apt-cache knows no package behind ${name}`);
  return { package: found, version: await resolveVersion(found) };
}

/** The version of a package that apt would install. */
export function resolveVersion(name: string): Promise<string> {
  return withLists(async () => {
    const version = /Candidate: (\S+)/.exec(await output(["apt-cache", "policy", name]))?.[1];
    // Without lists apt-cache knows nothing of it, and that is no error of its own.
    if (version === undefined || version === "(none)") {
      throw new LabUnavailable(`apt-cache knows no version of ${name}`);
    }
    return version;
  });
}

/** Downloads exactly `name` in `version` and unpacks it below `directory`. */
export async function unpackPackage(name: string, version: string, directory: string): Promise<void> {
  const archives = await Deno.makeTempDir({ dir: directory });
  await withLists(() => output(["apt-get", "download", ...QUIET, `${name}=${version}`], { cwd: archives }));
  const [file] = [...Deno.readDirSync(archives)];
  if (file === undefined) throw new LabUnavailable(`apt-get downloaded nothing for ${name}=${version}`);
  await output(["dpkg-deb", "-x", `${archives}/${file.name}`, directory]);
  await Deno.remove(archives, { recursive: true });
}

/** Once more after `apt-get update` if it fails: lists may be missing (a fresh image) or stale. */
async function withLists<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    try {
      await output(["apt-get", "update", "-qq"]);
    } catch (updateError) {
      throw new LabUnavailable(`${error.message}\nand ${(updateError as Error).message}`);
    }
    return await run();
  }
}
