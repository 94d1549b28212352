/**
 * System calls on threads of our own, many under way, handed over and collected in batches.
 *
 *     run ─ addresses of blocks ─> pipe ─> threads: system call ─> pipe ─ collect
 *
 * A call has a block of memory, part of one arena, and a thread to hang in, so a call that does not come back holds up nobody.
 * Arena and code are not the runtime's, which frees what it has while the program ends, but the process' own: a thread may come
 * back from its call at any time.
 * Threads block every signal: one inside SG_IO would have the command sent twice (decision 0006).
 *
 * @module
 */
import { CallMemory } from "./call_memory.ts";
import { SysError } from "./errno.ts";
import { checked, cString, errno, libc } from "./libc.ts";
import type { Bytes } from "../bytes.ts";
import { BLOCK_HEAD, thisArch } from "./thread_code.ts";

const SYMBOLS = {
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  pthread_create: { parameters: ["buffer", "pointer", "pointer", "pointer"], result: "i32" },
  pthread_join: { parameters: ["usize", "pointer"], result: "i32" },
  // Never more bytes than 31 bits count, and a 64-bit result would be a bigint, made anew at each call.
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "isize"], result: "usize" },
  munmap: { parameters: ["usize", "usize"], result: "i32" },
} as const;

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

const O_CLOEXEC = 0o2000000, O_NONBLOCK = 0o4000, F_SETFL = 4, SIG_SETMASK = 2;
/** Bytes of a sigset_t. */
const MASK_BYTES = 128;
const PROT_READ_WRITE = 3, PROT_READ_EXECUTE = 5, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20;
/** A block begins where a page's parts do: the kernel likes data that is aligned. */
const ALIGNMENT = 64;

/**
 * Where the wait for answers can ask for more ({@link CallThreads.addThreads}), so many threads at first. Devices that answer at
 * once need no more, and one takes 15 to 35 µs to make (1.4 ms in user-mode Linux).
 */
const FIRST_THREADS = 4;

/** What becomes of a call. */
interface Call {
  /** Its place in the arena, which it has taken even when its memory lies elsewhere. */
  readonly place: CallMemory;
  readonly memory: CallMemory;
  readonly ended: (result: number) => void;
}

/** Room for so many calls at a time; more wait for their turn, first come, first served. */
export class CallThreads {
  /** Ready for reading when {@link collect} will find something; nonblocking. */
  readonly fd: number;
  readonly #c: Symbols;
  readonly #arena: ArrayBuffer;
  /** Bytes from one block to the next. */
  readonly #stride: number;
  readonly #base: number;
  readonly #free: CallMemory[] = [];
  /** Blocks of the arena that have been used so far. */
  #used = 0;
  /** Calls under way by the address of their memory's block. */
  readonly #calls = new Map<number, Call>();
  readonly #waiting: (() => void)[] = [];
  /** Where threads take from and give to, and our ends of both. */
  readonly #pipes: { readonly take: number; readonly submit: number; readonly give: number };
  /** Addresses on their way out, and in: 8 bytes each, in halves of 4, which cost no bigint. */
  readonly #leaving: Uint32Array<ArrayBuffer>;
  readonly #leavingBytes: Bytes;
  readonly #arriving: Uint32Array<ArrayBuffer>;
  readonly #arrivingBytes: Bytes;
  readonly #threads: bigint[] = [];
  /** Why there was no further thread, an errno. Calls take turns then, as long as there is one. */
  #refused = 0;
  #queued = 0;
  #begun = 0;
  #closed = false;

  /**
   * `bytes`: what a call may have in the arena; one that needs more gets memory of its own.
   *
   * `attend`: called when calls wait for {@link leave}; it sees to all that follows, {@link addThreads} among it. Without it they
   * leave when this turn is over, and a thread is made whenever there are more calls than threads.
   */
  constructor(readonly places: number, readonly bytes: number, private readonly attend?: () => void) {
    libc(); // so that reading errno later loads nothing in between
    // Where pthread_create is part of libc (glibc 2.34), this is an empty library that leads there.
    this.#c = Deno.dlopen("libpthread.so.0", SYMBOLS).symbols;
    this.#stride = Math.ceil((BLOCK_HEAD + bytes) / ALIGNMENT) * ALIGNMENT;
    ({ buffer: this.#arena, address: this.#base } = this.#map(places * this.#stride));
    this.#leaving = new Uint32Array(2 * places);
    this.#arriving = new Uint32Array(2 * places);
    this.#leavingBytes = new Uint8Array(this.#leaving.buffer);
    this.#arrivingBytes = new Uint8Array(this.#arriving.buffer);
    const [take, submit] = pipe(this.#c);
    const [fd, give] = pipe(this.#c);
    insist("fcntl", this.#c.fcntl(fd, F_SETFL, O_NONBLOCK));
    this.#pipes = { take, submit, give };
    this.fd = fd;
  }

  /** Calls that have begun and have not been collected. */
  get underWay(): number {
    return this.#calls.size;
  }

  /** Calls that have begun since the beginning. */
  get begun(): number {
    return this.#begun;
  }

  /** How many threads there are. */
  get threads(): number {
    return this.#threads.length;
  }

  /**
   * Makes a system call that works on so many bytes of memory. When its turn has come, `begin` lays out memory and call
   * ({@link CallMemory.call}); when it is over, `end` makes what is resolved of its result (or `-errno`) and the memory, which
   * is another call's afterwards. What either throws, this rejects with; when `begin` does, nothing is called.
   */
  run<T>(
    bytes: number,
    begin: (memory: CallMemory) => void,
    end: (result: number, memory: CallMemory) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        const place = this.#free.pop() ?? this.#place();
        let memory = place;
        const ended = (result: number): void => {
          try {
            resolve(end(result, memory));
          } catch (error) {
            reject(error);
          }
        };
        try {
          if (bytes > this.bytes) memory = this.#ownMemory(bytes);
          begin(memory);
          this.#submit({ place, memory, ended });
        } catch (error) {
          // In a turn of its own: where many wait and each is refused, they would lie one within the other.
          queueMicrotask(() => this.#release(place, memory));
          reject(error);
        }
      };
      if (this.#free.length > 0 || this.#used < this.places) start();
      else this.#waiting.push(start);
    });
  }

  /** Hands over what has been begun. */
  leave(): void {
    if (this.#queued === 0) return;
    const bytes = BigInt(8 * this.#queued);
    this.#queued = 0;
    // Never more than there are places, far below what a pipe holds: it neither waits nor writes a part.
    insist("write", this.#c.write(this.#pipes.submit, this.#leavingBytes, bytes));
  }

  /** Settles what has ended since the last time; how many that was. */
  collect(): number {
    let ended = 0;
    for (;;) {
      const bytes = this.#c.read(this.fd, this.#arrivingBytes, BigInt(this.#arrivingBytes.length));
      if (bytes <= 0) return ended; // nothing more yet
      for (let i = 0; i < bytes / 4; i += 2) {
        const call = this.#take(this.#arriving[i]! + this.#arriving[i + 1]! * 0x1_0000_0000);
        if (call === null) continue;
        ended++;
        call.ended(call.memory.result);
        this.#release(call.place, call.memory);
      }
      if (bytes < this.#arrivingBytes.length) return ended;
    }
  }

  /** Twice as many threads, or as many as there are calls under way, if they can be had; false when there is no further one. */
  addThreads(): boolean {
    const before = this.#threads.length;
    while (this.#threads.length < 2 * before && this.#addThread());
    return this.#threads.length > before;
  }

  /** Makes {@link fd} ready for reading although nothing has ended. */
  ring(): void {
    insist("write", this.#c.write(this.#pipes.give, new Uint8Array(8), 8n));
  }

  /** Ends the threads. Calls under way go on, and nobody hears of them. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    const { take, submit, give } = this.#pipes;
    closeEnd(submit); // each thread ends as soon as it is idle
    closeEnd(this.fd);
    // A thread in a call will use its pipes once more: their numbers must never be anybody else's.
    if (this.#calls.size > 0) return;
    for (const thread of this.#threads) this.#c.pthread_join(thread, null);
    closeEnd(take);
    closeEnd(give);
  }

  /** A block of the arena that has never been used. */
  #place(): CallMemory {
    const number = this.#used++;
    const at = number * this.#stride;
    return new CallMemory(number, this.#arena, at, this.#base + at, this.bytes);
  }

  #submit(call: Call): void {
    const { block } = call.memory;
    this.#calls.set(block, call);
    if (!this.attend || this.#threads.length < FIRST_THREADS) this.#addThread();
    if (this.#threads.length === 0) {
      this.#calls.delete(block);
      throw new SysError("pthread_create", "a thread for system calls", this.#refused);
    }
    this.#begun++;
    this.#leaving[2 * this.#queued] = block % 0x1_0000_0000;
    this.#leaving[2 * this.#queued + 1] = block / 0x1_0000_0000;
    if (this.#queued++ > 0) return;
    if (this.attend) this.attend();
    else queueMicrotask(() => this.leave());
  }

  /** `null`: somebody rang. */
  #take(block: number): Call | null {
    const call = this.#calls.get(block);
    if (call === undefined) return null;
    this.#calls.delete(block);
    return call;
  }

  #release(place: CallMemory, memory: CallMemory): void {
    if (memory !== place) this.#c.munmap(BigInt(memory.block), BigInt(BLOCK_HEAD + memory.bytes.length));
    this.#free.push(place);
    this.#waiting.shift()?.();
  }

  /** Memory for one call that needs much. */
  #ownMemory(bytes: number): CallMemory {
    const { buffer, address } = this.#map(BLOCK_HEAD + bytes);
    return new CallMemory(null, buffer, 0, address, bytes);
  }

  /** Memory of the process, all zeros. */
  #map(bytes: number): { readonly buffer: ArrayBuffer; readonly address: number } {
    const address = map(this.#c, bytes, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    const pointer = Deno.UnsafePointer.create(address)!;
    return { buffer: Deno.UnsafePointerView.getArrayBuffer(pointer, bytes), address: Number(address) };
  }

  /** One more, where there are more calls than threads; false when there is none to be had. */
  #addThread(): boolean {
    if (this.#calls.size <= this.#threads.length) return false;
    const { take, give } = this.#pipes;
    const thread = new BigUint64Array(1);
    const [all, before] = [new Uint8Array(MASK_BYTES).fill(0xff), new Uint8Array(MASK_BYTES)];
    const fds = Deno.UnsafePointer.create(BigInt(take) | (BigInt(give) << 32n));
    this.#c.pthread_sigmask(SIG_SETMASK, all, before); // the new thread inherits it
    this.#refused = this.#c.pthread_create(new Uint8Array(thread.buffer), null, serveCode(this.#c), fds);
    this.#c.pthread_sigmask(SIG_SETMASK, before, null);
    if (this.#refused === 0) this.#threads.push(thread[0]!);
    return this.#refused === 0;
  }
}

let code: Deno.PointerValue = null;

/** Address of the threads' code: in a memfd, so that there is no file, and no memory both writable and executable. */
function serveCode(c: Symbols): Deno.PointerValue {
  if (code !== null) return code;
  const bytes = Uint8Array.from(thisArch().code);
  const fd = checked("memfd_create", "for machine code", (libc) => libc.memfd_create(cString("prmig-call"), 1));
  try {
    checked("write", "machine code", (libc) => libc.write(fd, bytes, BigInt(bytes.length)));
    return code = Deno.UnsafePointer.create(map(c, bytes.length, PROT_READ_EXECUTE, MAP_PRIVATE, fd));
  } finally {
    closeEnd(fd);
  }
}

function map(c: Symbols, bytes: number, protection: number, flags: number, fd: number): bigint {
  const address = c.mmap(null, BigInt(bytes), protection, flags, fd, 0n);
  if (BigInt.asIntN(64, address) === -1n) throw new SysError("mmap", `${bytes} bytes`, errno());
  return address;
}

function pipe(c: Symbols): [read: number, write: number] {
  const ends = new Int32Array(2);
  insist("pipe2", c.pipe2(new Uint8Array(ends.buffer), O_CLOEXEC));
  return [ends[0]!, ends[1]!];
}

function closeEnd(fd: number): void {
  checked("close", "a pipe", (c) => c.close(fd));
}

function insist(call: string, result: number): void {
  if (result < 0) throw new SysError(call, "a pipe", errno());
}
