/**
 * Makes a failing list shorter (Zeller, delta debugging): leaves out ever smaller runs of it as long as it still fails.
 *
 * @module
 */

/** The shortest list found in `tries` tries that `fails`. The list given is taken to fail. */
export async function shrink<T>(
  list: readonly T[],
  fails: (list: readonly T[]) => Promise<boolean>,
  tries: number,
): Promise<readonly T[]> {
  let failing = list;
  for (let run = Math.ceil(failing.length / 2);;) {
    let shorter = false;
    for (let at = failing.length - run; at > -run && failing.length > 1; at -= run) {
      const without = failing.toSpliced(Math.max(0, at), Math.min(run, at + run));
      if (without.length === 0 || without.length === failing.length) continue;
      if (tries-- <= 0) return failing;
      if (!await fails(without)) continue;
      failing = without;
      shorter = true;
    }
    if (run === 1 && !shorter) return failing;
    run = Math.max(1, Math.floor(run / 2));
  }
}
