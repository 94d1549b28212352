/**
 * Counts of tests, read from what test runners leave behind.
 *
 * Pure.
 *
 * @module
 */

/** How many tests ended in which way. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts of a JUnit report: one suite a test file, its cases counted in its attributes. No suite counts as a failure. */
export function junitTally(xml: string): Tally {
  const suites = [...xml.matchAll(/<testsuite\s([^>]*)>/g)].map((match) => {
    const count = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(match[1]!)?.[1] ?? 0);
    const failed = count("failures") + count("errors");
    const skipped = Math.max(count("disabled"), count("skipped"));
    return { passed: count("tests") - failed - skipped, failed, skipped };
  });
  return suites.length === 0 ? { passed: 0, failed: 1, skipped: 0 } : addTallies(suites);
}

/** The closing line of a suite with its own runner: `NAME: N passed, N failed, N skipped`; null when there is none. */
export function closingTally(name: string, stdout: string): Tally | null {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const match = new RegExp(`^${name}: (\\d+) passed, (\\d+) failed(?:, (\\d+) skipped)?$`).exec(last.trim());
  return match && { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3] ?? 0) };
}

/** The sum. */
export function addTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/** `N passed, N failed`, and `, N skipped` where there were any. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}
