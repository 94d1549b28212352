/**
 * Where prmig keeps what lives as long as the machine is up. Pure.
 *
 * @module
 */

/** PRMIG_RUN_DIR, or /run/prmig. */
export function runDirectory(env: (name: string) => string | undefined): string {
  return env("PRMIG_RUN_DIR") || "/run/prmig";
}
