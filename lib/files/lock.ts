/**
 * One at a time, across processes: an advisory lock on a file beside the one it protects (`NAME.lock`).
 *
 * The kernel drops the lock when its holder dies, however it dies, so there are no stale locks; the lock file itself
 * stays. Waiting asks again and again without blocking (`flock` would keep a thread of the pool), a few milliseconds
 * apart; within one process it is first come, first served.
 *
 * @module
 */
import { asFileError, FileError } from "./file_error.ts";
import { Turns } from "./turns.ts";

/** How to wait. */
export interface LockChoices {
  /** Milliseconds to wait for the lock; 10 s by default. */
  readonly timeoutMs?: number;
}

/** Somebody else kept the lock for longer than we were ready to wait. */
export class LockTimeout extends FileError {
  /** For logs. */
  override readonly name = "LockTimeout";
  /** The file, and how long was waited, in milliseconds. */
  constructor(path: string, readonly waitedMs: number) {
    super("lock", path, `another process has held ${path}.lock for ${Math.round(waitedMs / 1000)} s`);
  }
}

const DEFAULT_TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 16;
const turns = new Turns();

/**
 * Runs `work` while nobody else runs theirs for the same path, in this process or another.
 *
 * Rejects with {@link LockTimeout} when the lock could not be had in time, `FileError` when the lock file cannot be
 * opened, and with whatever `work` rejects with. Not to be nested for one path: the inner one would wait for the outer.
 */
export async function withLock<T>(path: string, work: () => Promise<T> | T, choices: LockChoices = {}): Promise<T> {
  const timeoutMs = choices.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const start = performance.now();
  const deadline = start + timeoutMs;
  if (!await turns.enter(path, deadline)) throw new LockTimeout(path, timeoutMs);
  try {
    using file = await asFileError(
      "lock",
      path,
      () => Deno.openSync(`${path}.lock`, { write: true, create: true, mode: 0o600 }),
    );
    for (let pauseMs = 1; !file.tryLockSync(true); pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      if (performance.now() >= deadline) throw new LockTimeout(path, timeoutMs);
      // A pause that differs from process to process keeps two that wait from staying in step.
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
    }
    return await work(); // closing the file gives the lock back
  } finally {
    turns.leave(path);
  }
}
