/**
 * Holds the house to its floor plan: imports go one way, never round, and each floor keeps to its own business.
 *
 * Run by `deno task check`. Prints every breach and exits 1, or prints one line and exits 0.
 *
 * @module
 */

/** Room -> the rooms it may import from. A file of lib/ itself (bytes.ts, errors.ts) is the room `base`. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  scsi: ["base"],
  pr: ["base", "scsi"],
  sys: ["base"],
  files: ["base", "sys"],
  sg: ["base", "scsi", "pr", "sys"],
  sim: ["base", "scsi", "pr", "files"],
  qualify: ["base", "scsi", "pr"],
  qmp: ["base"],
  migrate: ["base", "scsi", "pr", "files", "qmp"],
  snoop: ["base", "scsi", "pr", "sg", "sys", "files"],
  cli: ["base", "scsi", "pr", "sys", "files", "sg", "sim", "qualify", "qmp", "migrate", "snoop"],
  main: ["base", "cli"],
};

/** What only one room may do, and how its source gives it away. */
const ONLY: readonly { what: string; pattern: RegExp; rooms: readonly string[] }[] = [
  { what: "print", pattern: /\bconsole\.|Deno\.(stdout|stderr)\b/, rooms: ["cli", "main"] },
  { what: "exit", pattern: /Deno\.exit\b|process\.exit\b/, rooms: ["main"] },
  { what: "call foreign functions", pattern: /Deno\.(dlopen|UnsafePointer|UnsafePointerView)\b/, rooms: ["sys"] },
];

/** Rooms that must stay pure: no Deno API at all. */
const PURE = ["scsi", "pr"];

const IMPORT = /(?:import|export)\s[^"';]*?from\s*"([^"]+)"|import\s*\(\s*"([^"]+)"\s*\)|^import\s*"([^"]+)"/gm;

const root = new URL("../", import.meta.url);
const breaches: string[] = [];
const edges = new Map<string, string[]>();

function* sources(directory: URL): Generator<URL> {
  for (const entry of Deno.readDirSync(directory)) {
    if (entry.isDirectory) yield* sources(new URL(`${entry.name}/`, directory));
    else if (entry.name.endsWith(".ts")) yield new URL(entry.name, directory);
  }
}

function roomOf(path: string): string {
  if (path === "main.ts") return "main";
  const [, room, rest] = path.split("/");
  return rest === undefined ? "base" : room!;
}

const files = [...sources(new URL("lib/", root)), new URL("main.ts", root)].filter((url) => exists(url));
for (const file of files) {
  const path = file.pathname.slice(root.pathname.length);
  const room = roomOf(path);
  const source = Deno.readTextFileSync(file);
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const allowed = MAY_IMPORT[room];
  if (!allowed) breaches.push(`${path}: "${room}" is no room of the floor plan in tools/layers.ts`);
  for (const match of code.matchAll(IMPORT)) {
    const target = match[1] ?? match[2] ?? match[3]!;
    if (!target.startsWith(".")) {
      if (PURE.includes(room)) breaches.push(`${path}: a pure room imports the package "${target}"`);
      continue;
    }
    const targetPath = new URL(target, file).pathname.slice(root.pathname.length);
    edges.set(path, [...edges.get(path) ?? [], targetPath]);
    const targetRoom = roomOf(targetPath);
    if (targetRoom !== room && !allowed?.includes(targetRoom)) {
      breaches.push(`${path}: "${room}" may not import from "${targetRoom}" (${targetPath})`);
    }
  }
  if (PURE.includes(room) && /\bDeno\./.test(code)) breaches.push(`${path}: a pure room uses Deno's API`);
  for (const { what, pattern, rooms } of ONLY) {
    if (!rooms.includes(room) && pattern.test(code)) breaches.push(`${path}: only ${rooms.join(", ")} may ${what}`);
  }
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch {
    return false;
  }
}

/** Reports the first circle met from each file once. */
function findCircles(): void {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      breaches.push(`circle: ${[...trail.slice(at), path].join(" -> ")}`);
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const next of edges.get(path) ?? []) visit(next);
    trail.pop();
    done.add(path);
  };
  for (const path of edges.keys()) visit(path);
}

findCircles();
for (const breach of breaches) console.error(breach);
if (breaches.length > 0) Deno.exit(1);
console.log(`layers: ${files.length} files, imports go one way, no circles`);
