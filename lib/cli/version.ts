/**
 * The version, by itself, so that `prmig --version` loads nothing else. A test holds it against deno.json.
 *
 * @module
 */

/** Version of prmig, as in deno.json and CHANGELOG.md. */
export const VERSION = "0.1.0";
