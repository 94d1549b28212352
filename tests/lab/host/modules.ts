/**
 * Which kernel modules to load, in which order. Pure: reads the text of modules.dep, as depmod writes it:
 *
 *   kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko
 *
 * @module
 */

/**
 * Paths of the modules `names` and of all they need, each after what it needs. A name that modules.dep does not know
 * is taken as built in if `builtin` (modules.builtin) has it.
 *
 * @throws Error for a name that is in neither
 */
export function loadOrder(modulesDep: string, builtin: string, names: readonly string[]): string[] {
  const needs = new Map<string, string[]>();
  const pathOf = new Map<string, string>();
  for (const line of modulesDep.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    needs.set(path, line.slice(colon + 1).split(" ").filter((word) => word !== ""));
    pathOf.set(moduleName(path), path);
  }
  const builtins = new Set(builtin.split("\n").map(moduleName));
  const order = new Set<string>();
  const visit = (path: string): void => {
    if (order.has(path)) return;
    for (const need of needs.get(path) ?? []) visit(need);
    order.add(path);
  };
  for (const name of names) {
    const path = pathOf.get(name);
    if (path !== undefined) visit(path);
    else if (!builtins.has(name)) throw new Error(`this kernel has no module ${name}`);
  }
  return [...order];
}

/** kernel/fs/9p/9p.ko.xz -> 9p; dashes and underscores are the same to the kernel. */
function moduleName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.ko(\.\w+)?$/, "").replaceAll("-", "_");
}
