/**
 * The code of a thread that makes system calls for others: takes the address of a block from a pipe, makes the call that is
 * laid out there, gives the address back through another pipe, until the first pipe ends. Pure: numbers.
 *
 *     void *serve(fds):  fds = requests | answers << 32
 *       while read(requests, &block, 8) == 8:
 *         block->result = system call block->nr (block->a, block->b, block->c, block->d)      or -errno
 *         write(answers, &block, 8)
 *
 * Why not libc's functions on the runtime's own threads: their errno cannot be fetched from another thread, they handle
 * signals, and each such call costs arguments boxed, a task queued, a thread woken, a promise settled from afar; handing
 * over an address costs a write of 8 bytes for as many calls as there are at the moment
 * (docs/decisions/0006-signal-proof-system-calls.md, 0041-one-way-for-all-commands.md).
 *
 * @module
 */

/** What differs from processor to processor. */
export interface ThreadArch {
  readonly code: readonly number[];
  /** System call numbers. */
  readonly nr: { readonly ioctl: number; readonly openat: number; readonly nanosleep: number };
}

/** Where in a block the call is: number and result of 4 bytes, four arguments of 8, in words of 4 bytes. */
export const BLOCK = { nr: 0, result: 1, arguments: 2 } as const;
/** Bytes of a block that the call takes; what it works on lies behind them. */
export const BLOCK_HEAD = 64;
/** Processors this works on, by `Deno.build.arch`. */
export const THREAD_ARCHS: Readonly<Record<string, ThreadArch>> = {
  x86_64: {
    nr: { ioctl: 16, openat: 257, nanosleep: 35 },
    code: [
      ...[0x53, 0x55, 0x41, 0x54, 0x48, 0x83, 0xec, 0x10], // push rbx, rbp, r12; sub rsp, 16
      ...[0x41, 0x89, 0xfc, 0x48, 0x89, 0xfd, 0x48, 0xc1, 0xed, 0x20], // mov r12d, edi; mov rbp, rdi; shr rbp, 32
      ...[0x31, 0xc0, 0x44, 0x89, 0xe7, 0x48, 0x89, 0xe6], // next: xor eax, eax read; mov edi, r12d; mov rsi, rsp
      ...[0xba, 8, 0, 0, 0, 0x0f, 0x05], // mov edx, 8; syscall
      ...[0x48, 0x83, 0xf8, 0x08, 0x75, 0x2e], // cmp rax, 8; jne end
      ...[0x48, 0x8b, 0x1c, 0x24, 0x8b, 0x03], // mov rbx, [rsp]; mov eax, [rbx]
      ...[0x48, 0x8b, 0x7b, 8, 0x48, 0x8b, 0x73, 16], // mov rdi, [rbx+8]; mov rsi, [rbx+16]
      ...[0x48, 0x8b, 0x53, 24, 0x4c, 0x8b, 0x53, 32], // mov rdx, [rbx+24]; mov r10, [rbx+32]
      ...[0x0f, 0x05, 0x89, 0x43, 4], // syscall; mov [rbx+4], eax
      ...[0xb8, 1, 0, 0, 0, 0x89, 0xef, 0x48, 0x89, 0xe6], // mov eax, 1 write; mov edi, ebp; mov rsi, rsp
      ...[0xba, 8, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xbd], // mov edx, 8; syscall; jmp next
      ...[0x48, 0x83, 0xc4, 0x10, 0x41, 0x5c, 0x5d, 0x5b, 0x31, 0xc0, 0xc3], // end: add rsp, 16; pop r12, rbp, rbx; ret 0
    ],
  },
  aarch64: {
    nr: { ioctl: 29, openat: 56, nanosleep: 101 },
    code: words(
      ...[0xa9bc7bfd, 0xa90153f3, 0xf90013f5], // stp x29, x30, [sp, -64]!; stp x19, x20, [sp, 16]; str x21, [sp, 32]
      ...[0x2a0003f3, 0xd360fc14], // mov w19, w0; lsr x20, x0, 32
      ...[0x528007e8, 0x2a1303e0, 0x9100a3e1, 0xd2800102], // next: w8 63 read; mov w0, w19; add x1, sp, 40; mov x2, 8
      ...[0xd4000001, 0xf100201f, 0x540001a1], // svc 0; cmp x0, 8; b.ne end
      ...[0xf94017f5, 0xb94002a8, 0xa94086a0, 0xa9418ea2], // ldr x21, [sp, 40]; ldr w8, [x21]; ldp x0..x3, [x21, 8 and 24]
      ...[0xd4000001, 0xb90006a0], // svc 0; str w0, [x21, 4]
      ...[0x52800808, 0x2a1403e0, 0x9100a3e1, 0xd2800102], // mov w8, 64 write; mov w0, w20; add x1, sp, 40; mov x2, 8
      ...[0xd4000001, 0x17ffffee], // svc 0; b next
      ...[0xf94013f5, 0xa94153f3, 0xa8c47bfd, 0xd2800000, 0xd65f03c0], // end: restore; mov x0, 0; ret
    ),
  },
};

/** What this processor takes. Throws on one for which there is no code. */
export function thisArch(): ThreadArch {
  const arch = THREAD_ARCHS[Deno.build.arch];
  if (!arch) throw new Error(`prmig has no system call code for ${Deno.build.arch}`);
  return arch;
}

/** Instructions of 4 bytes. */
function words(...values: number[]): number[] {
  return values.flatMap((v) => [v & 0xff, (v >>> 8) & 0xff, (v >>> 16) & 0xff, v >>> 24]);
}
