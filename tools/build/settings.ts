/**
 * How the runtime is started in the one file, and which runtime it is (docs/decisions/0008-one-file.md).
 *
 * @module
 */
import { FIRST_MODULE } from "./first.ts";

/** Version of Deno, from npm; README.md, .ci/run and docs/quick-start.md pin the same. */
export const RUNTIME_VERSION = "2.9.6";

/**
 * SHA-256 of the executable in npm's `@deno/linux-*-glibc` of that version, by machine. A machine that is not here has to
 * be given its runtime by hand (`--runtime`), and its file is not compared with anybody else's.
 */
export const RUNTIME_SHA256: Readonly<Record<string, string>> = {
  x86_64: "bceb5b6a6239b0b010418406d8c77a508f67cf4337d94288f1c19fe71304aab0",
};

/** npm's name of the package that holds the executable, by machine. */
export const RUNTIME_PACKAGE: Readonly<Record<string, string>> = {
  x86_64: "@deno/linux-x64-glibc",
  aarch64: "@deno/linux-arm64-glibc",
};

/**
 * Bounds the memory for what was made a moment ago, which the runtime lets grow to three times 16 MiB and more where much is made
 * and nothing kept: `prmig snoop` under 64 clients came to 200 MB in 200,000 commands, and with this to 79 MB (live were 6 MB).
 */
export const HEAP_OPTION = "--v8-flags=--max-semi-space-size=4";

/**
 * What stands before the bundle: nothing is looked for outside of it, on disk or elsewhere. Told that it is a module, the
 * runtime does not try what else it could be; without a cache that takes a quarter of a second.
 */
export const RUNTIME_OPTIONS: readonly string[] = [
  "run",
  "-A",
  HEAP_OPTION,
  "--no-config",
  "--no-lock",
  "--no-npm",
  "--no-remote",
  "--cached-only",
  "--ext",
  "mjs",
];

/** The runtime's module is the first one (first.ts); the bundle's path is its first argument. */
export const RUNTIME_ARGUMENTS: readonly string[] = [...RUNTIME_OPTIONS, FIRST_MODULE];

/** Added to the environment; every other variable of the runtime's is kept from it. */
export const RUNTIME_VARIABLES: readonly string[] = ["DENO_NO_UPDATE_CHECK=1", "DENO_NO_PACKAGE_JSON=1"];

/** Where root's start-up cache is; 0700, made by the stub, removed with the package. */
export const ROOT_CACHE = "/var/cache/prmig";
/** A directory that cannot be: no cache at all. */
export const NO_CACHE = "/dev/null/prmig";
