/**
 * The little path arithmetic files need. Pure.
 *
 * @module
 */

/** Directory part of a path; "." for a bare name. */
export function dirname(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}

/** A name within a directory. */
export function join(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}
