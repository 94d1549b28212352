/**
 * `deno task build`: dist/prmig, one file that needs nothing but glibc.
 *
 *     deno task build [--arch x86_64|aarch64] [--runtime PATH] [--output FILE]
 *
 * Building twice gives the same bytes; the digest is printed so that it can be compared.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { assemble } from "./assemble.ts";
import { bundleProgram } from "./bundle.ts";
import { pinnedRuntime, sha256 } from "./runtime.ts";
import { NO_CACHE, ROOT_CACHE } from "./settings.ts";
import { stubFor } from "./stub.ts";

/** What to build. */
export interface BuildOptions {
  readonly arch: string;
  /** A runtime of one's own; null for the pinned one. */
  readonly runtime: string | null;
}

/** Makes the one file. */
export async function build({ arch, runtime }: BuildOptions): Promise<Uint8Array<ArrayBuffer>> {
  return assemble({
    runtime: await pinnedRuntime(arch, runtime),
    stub: stubFor(arch),
    bundle: await bundleProgram(),
    arch,
    rootCache: ROOT_CACHE,
    noCache: NO_CACHE,
  });
}

/** Writes an executable in one step: whoever runs the old one keeps it. */
export async function writeExecutable(path: string, bytes: Uint8Array): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await Deno.mkdir(path.slice(0, slash), { recursive: true });
  await Deno.writeFile(`${path}.partial`, bytes, { mode: 0o755 });
  await Deno.chmod(`${path}.partial`, 0o755);
  await Deno.rename(`${path}.partial`, path);
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      arch: { type: "string", default: Deno.build.arch },
      runtime: { type: "string" },
      output: { type: "string", default: "dist/prmig" },
    },
  });
  const bytes = await build({ arch: values.arch, runtime: values.runtime ?? null });
  await writeExecutable(values.output, bytes);
  console.log(`${values.output}: ${bytes.length} bytes, SHA-256 ${await sha256(bytes)}`);
}
