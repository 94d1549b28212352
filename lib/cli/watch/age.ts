/**
 * How long ago, in a few characters. Pure.
 *
 * @module
 */

const SECOND = 1, MINUTE = 60, HOUR = 3600, DAY = 86_400;

/** `0s`, `59s`, `2m05s`, `3h07m`, `4d02h`, of microseconds; a clock that was set back gives `0s`. */
export function ageText(us: number): string {
  const seconds = Math.max(0, Math.floor(us / 1_000_000));
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  if (seconds < MINUTE) return `${Math.floor(seconds / SECOND)}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m${two(seconds % MINUTE)}s`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}h${two((seconds % HOUR) / MINUTE)}m`;
  return `${Math.floor(seconds / DAY)}d${two((seconds % DAY) / HOUR)}h`;
}
