/**
 * Instants as events write them: ISO 8601, UTC, with microseconds. Pure.
 *
 * @module
 */

/** `2026-11-23T06:16:15.123456Z` of microseconds since 1970. */
export function isoMicros(wallUs: number): string {
  const micros = Math.floor(wallUs);
  const milliseconds = Math.floor(micros / 1000);
  return new Date(milliseconds).toISOString().replace("Z", String(micros - milliseconds * 1000).padStart(3, "0") + "Z");
}
