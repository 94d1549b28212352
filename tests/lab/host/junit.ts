/**
 * Counts what `deno test --junit-path` wrote. Pure.
 *
 * @module
 */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Test cases and steps, each counted once. */
export function countResults(junit: string): Counts {
  const cases = junit.split("<testcase ").slice(1).map((text) =>
    text.slice(0, (text + "</testcase>").indexOf("</testcase>"))
  );
  const failed = cases.filter((text) => /<(failure|error)\b/.test(text)).length;
  const skipped = cases.filter((text) => text.includes("<skipped")).length;
  return { passed: cases.length - failed - skipped, failed, skipped };
}
