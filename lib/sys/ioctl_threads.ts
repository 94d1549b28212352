/**
 * ioctls on threads of our own, many under way, submitted and collected in batches: what a busy server uses in place of
 * fd.ts' `ioctl`, at a tenth of its cost to the main thread.
 *
 *     submit ─ addresses of blocks ─> pipe ─> threads: ioctl ─> pipe ─ collect
 *
 * A block is part of one arena that lives as long as any call under way may write to it. Each call has a thread of its
 * own to hang in, so a call that does not come back holds up nobody; a thread is made when there are more calls than
 * threads. Threads block every signal: one inside SG_IO would have the command sent twice (decision 0006).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { CALL_ARCHS, encodeElf } from "./call_elf.ts";
import { SysError } from "./errno.ts";
import { addressOf, closeFd } from "./fd.ts";
import { libc } from "./libc.ts";
import { loadElf } from "./raw_call.ts";
import { demand } from "./socket_symbols.ts";
import { BLOCK_FD, BLOCK_REQUEST, BLOCK_RESULT, SERVE_CODE, SERVE_SYMBOL } from "./thread_elf.ts";

const SYMBOLS = {
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  pthread_create: { parameters: ["buffer", "pointer", "pointer", "pointer"], result: "i32" },
  pthread_join: { parameters: ["usize", "pointer"], result: "i32" },
  // Never more bytes than 31 bits count, and a 64-bit result would be a bigint, made anew at each call.
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
} as const;

const O_CLOEXEC = 0o2000000, O_NONBLOCK = 0o4000, F_SETFL = 4, SIG_SETMASK = 2;
/** Bytes of a sigset_t. */
const MASK_BYTES = 128;
/** A block begins where a page's parts do: the kernel likes data that is aligned. */
const ALIGNMENT = 64;

/** Arenas into which a call that never came back may still write. */
const abandoned: ArrayBuffer[] = [];

/** So many blocks, each for one call under way. */
export class IoctlThreads {
  /** Ready for reading when {@link collect} will find something; nonblocking. */
  readonly fd: number;
  /** All blocks, one after the other, {@link stride} bytes each. */
  readonly arena: Bytes;
  /** Bytes from one block to the next. */
  readonly stride: number;
  readonly #c: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly #view: DataView;
  readonly #base: number;
  /** Where threads take from and give to, and our ends of both. */
  readonly #pipes: { readonly take: number; readonly submit: number; readonly give: number };
  /** Addresses on their way out, and in: 8 bytes each, in halves of 4, which cost no bigint. */
  readonly #leaving: Uint32Array<ArrayBuffer>;
  readonly #leavingBytes: Bytes;
  readonly #arriving: Uint32Array<ArrayBuffer>;
  readonly #arrivingBytes: Bytes;
  readonly #threads: bigint[] = [];
  #queued = 0;
  #underWay = 0;
  #closed = false;

  /** `blockBytes`: of one block, at least 384, the first of which {@link BLOCK_FD} and its like are in. */
  constructor(readonly blocks: number, blockBytes: number) {
    // Where pthread_create is part of libc (glibc 2.34), this is an empty library that leads there.
    this.#c = Deno.dlopen("libpthread.so.0", SYMBOLS).symbols;
    libc(); // so that reading errno later loads nothing in between
    this.stride = Math.ceil(blockBytes / ALIGNMENT) * ALIGNMENT;
    const arena = new ArrayBuffer(blocks * this.stride);
    this.arena = new Uint8Array(arena);
    this.#view = new DataView(arena);
    this.#base = Number(addressOf(arena));
    this.#leaving = new Uint32Array(2 * blocks);
    this.#arriving = new Uint32Array(2 * blocks);
    this.#leavingBytes = new Uint8Array(this.#leaving.buffer);
    this.#arrivingBytes = new Uint8Array(this.#arriving.buffer);
    const [take, submit] = pipe(this.#c);
    const [fd, give] = pipe(this.#c);
    demand("fcntl", "a pipe", () => this.#c.fcntl(fd, F_SETFL, O_NONBLOCK));
    this.#pipes = { take, submit, give };
    this.fd = fd;
  }

  /** Calls that have been submitted and not been collected. */
  get underWay(): number {
    return this.#underWay;
  }

  /** How many threads there are. */
  get threads(): number {
    return this.#threads.length;
  }

  /** Address of a block's first byte. */
  addressOf(block: number): bigint {
    return BigInt(this.#base + block * this.stride);
  }

  /** Has `ioctl(fd, request, block)` executed. It leaves when this turn is over, together with all others of the turn. */
  submit(block: number, fd: number, request: number): void {
    if (++this.#underWay > this.#threads.length) this.#addThread();
    const at = block * this.stride;
    this.#view.setInt32(at + BLOCK_FD, fd, true);
    this.#view.setUint32(at + BLOCK_REQUEST, request, true);
    const address = this.#base + at;
    this.#leaving[2 * this.#queued] = address % 0x1_0000_0000;
    this.#leaving[2 * this.#queued + 1] = address / 0x1_0000_0000;
    if (this.#queued++ === 0) queueMicrotask(() => this.#leave());
  }

  /** Tells `visit` of each call that has ended since the last time: its block, and its result or `-errno`. */
  collect(visit: (block: number, result: number) => void): void {
    for (;;) {
      const bytes = this.#c.read(this.fd, this.#arrivingBytes, BigInt(this.#arrivingBytes.length));
      if (bytes <= 0) return; // nothing more yet
      for (let i = 0; i < bytes / 4; i += 2) {
        const at = this.#arriving[i]! + this.#arriving[i + 1]! * 0x1_0000_0000 - this.#base;
        this.#underWay--;
        visit(at / this.stride, this.#view.getInt32(at + BLOCK_RESULT, true));
      }
      if (bytes < this.#arrivingBytes.length) return;
    }
  }

  /** Ends the threads. Calls under way go on, and nobody hears of them. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { take, submit, give } = this.#pipes;
    closeFd(submit); // each thread ends as soon as it is idle
    closeFd(this.fd);
    if (this.#underWay > 0) {
      // A thread in a call will use its pipes once more: their numbers must never be anybody else's.
      abandoned.push(this.arena.buffer);
      return;
    }
    for (const thread of this.#threads) this.#c.pthread_join(thread, null);
    closeFd(take);
    closeFd(give);
  }

  #leave(): void {
    const bytes = BigInt(8 * this.#queued);
    this.#queued = 0;
    // Never more than there are blocks, far below what a pipe holds: it neither waits nor writes a part.
    demand("write", "a pipe", () => this.#c.write(this.#pipes.submit, this.#leavingBytes, bytes));
  }

  #addThread(): void {
    const { take, give } = this.#pipes;
    const thread = new BigUint64Array(1);
    const [all, before] = [new Uint8Array(MASK_BYTES).fill(0xff), new Uint8Array(MASK_BYTES)];
    const fds = Deno.UnsafePointer.create(BigInt(take) | (BigInt(give) << 32n));
    this.#c.pthread_sigmask(SIG_SETMASK, all, before); // the new thread inherits it
    const error = this.#c.pthread_create(new Uint8Array(thread.buffer), null, serveCode(), fds);
    this.#c.pthread_sigmask(SIG_SETMASK, before, null);
    if (error === 0) this.#threads.push(thread[0]!);
    // Fewer threads than calls: they take turns. None at all: nothing would ever be answered.
    else if (this.#threads.length === 0) {
      this.#underWay--;
      throw new SysError("pthread_create", "a thread for SCSI commands", error);
    }
  }
}

let code: Deno.PointerValue | undefined;

/** Address of the threads' code, loaded once. */
function serveCode(): Deno.PointerValue {
  return code ??= loadServe();
}

function loadServe(): Deno.PointerValue {
  const [arch, serve] = [CALL_ARCHS[Deno.build.arch], SERVE_CODE[Deno.build.arch]];
  if (!arch || !serve) throw new Error(`prmig has no system call code for ${Deno.build.arch}`);
  return loadElf(encodeElf(arch.machine, serve, SERVE_SYMBOL), {
    [SERVE_SYMBOL]: { type: "pointer" },
  })[SERVE_SYMBOL];
}

function pipe(c: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"]): [read: number, write: number] {
  const ends = new Int32Array(2);
  demand("pipe2", "", () => c.pipe2(new Uint8Array(ends.buffer), O_CLOEXEC));
  return [ends[0]!, ends[1]!];
}
