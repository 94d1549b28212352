/**
 * A shared object with one function, made at run time: a system call that answers `-errno` instead of setting errno,
 * and that no signal can interrupt. Pure: numbers in, an ELF image out.
 *
 *     long call(nr, a, b, c, d):  block every signal; r = system call nr(a, b, c, d); restore the signal mask; return r
 *
 * Why not libc: a nonblocking foreign call runs on a pool thread, and its errno cannot be fetched from another thread.
 * Why the mask: when the main thread has a signal pending already, the kernel hands the next one to any other thread
 * (bursts ended 7 of 80 unmasked sleeps on pool threads), and a signal inside SG_IO on /dev/sgN makes the kernel start
 * the call again: the command is SENT TWICE (seen on Linux 6.1). docs/decisions/0006-signal-proof-system-calls.md
 *
 *     0 ELF header | 64 program headers | 288 hash | 312 symbols | 360 names | 368 code | 512 dynamic section | 608
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** What differs from processor to processor. */
export interface CallArch {
  /** ELF machine number. */
  readonly machine: number;
  readonly code: readonly number[];
  /** System call numbers. */
  readonly nr: { readonly ioctl: number; readonly openat: number; readonly nanosleep: number };
}

/** Processors this works on, by `Deno.build.arch`. */
export const CALL_ARCHS: Readonly<Record<string, CallArch>> = {
  x86_64: {
    machine: 62,
    nr: { ioctl: 16, openat: 257, nanosleep: 35 },
    code: [
      ...[0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56], // push rbx, rbp, r12, r13, r14
      ...[0x48, 0x83, 0xec, 0x10], // sub rsp, 16               room for the old mask
      ...[0x89, 0xfb, 0x48, 0x89, 0xf5], // mov ebx, edi; mov rbp, rsi
      ...[0x49, 0x89, 0xd4, 0x49, 0x89, 0xcd, 0x4d, 0x89, 0xc6], // mov r12, rdx; mov r13, rcx; mov r14, r8
      ...[0x6a, 0xff], // push -1                               the new mask: all
      ...[0xb8, 14, 0, 0, 0, 0xbf, 2, 0, 0, 0], // mov eax, 14 rt_sigprocmask; mov edi, 2 SIG_SETMASK
      ...[0x48, 0x89, 0xe6, 0x48, 0x8d, 0x54, 0x24, 0x08], // mov rsi, rsp; lea rdx, [rsp+8]
      ...[0x41, 0xba, 8, 0, 0, 0, 0x0f, 0x05], // mov r10d, 8; syscall
      ...[0x89, 0xd8, 0x48, 0x89, 0xef, 0x4c, 0x89, 0xe6], // mov eax, ebx; mov rdi, rbp; mov rsi, r12
      ...[0x4c, 0x89, 0xea, 0x4d, 0x89, 0xf2, 0x0f, 0x05], // mov rdx, r13; mov r10, r14; syscall
      ...[0x48, 0x89, 0xc3], // mov rbx, rax
      ...[0xb8, 14, 0, 0, 0, 0xbf, 2, 0, 0, 0], // mov eax, 14; mov edi, 2
      ...[0x48, 0x8d, 0x74, 0x24, 0x08, 0x31, 0xd2], // lea rsi, [rsp+8]; xor edx, edx
      ...[0x41, 0xba, 8, 0, 0, 0, 0x0f, 0x05], // mov r10d, 8; syscall
      ...[0x48, 0x89, 0xd8, 0x48, 0x83, 0xc4, 0x18], // mov rax, rbx; add rsp, 24
      ...[0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3], // pop r14, r13, r12, rbp, rbx; ret
    ],
  },
  aarch64: {
    machine: 183,
    nr: { ioctl: 29, openat: 56, nanosleep: 101 },
    code: words(
      ...[0xa9bb7bfd, 0xa90153f3, 0xa9025bf5, 0xf9001bf7], // stp x29, x30, [sp, -80]!; save x19 to x23
      ...[0x2a0003f3, 0xaa0103f4, 0xaa0203f5, 0xaa0303f6, 0xaa0403f7], // mov w19, w0; mov x20..x23, x1..x4
      ...[0x92800009, 0xf90023e9], // mov x9, -1; str x9, [sp, 64]     the new mask: all
      ...[0x528010e8, 0xd2800040, 0x910103e1, 0x9100e3e2, 0xd2800103], // w8 135, x0 2, x1 sp+64, x2 sp+56, x3 8
      ...[0xd4000001, 0x2a1303e8], // svc 0 rt_sigprocmask; mov w8, w19
      ...[0xaa1403e0, 0xaa1503e1, 0xaa1603e2, 0xaa1703e3], // mov x0..x3, x20..x23
      ...[0xd4000001, 0xaa0003f3], // svc 0; mov x19, x0
      ...[0x528010e8, 0xd2800040, 0x9100e3e1, 0xd2800002, 0xd2800103], // w8 135, x0 2, x1 sp+56, x2 0, x3 8
      ...[0xd4000001, 0xaa1303e0], // svc 0; mov x0, x19
      ...[0xf9401bf7, 0xa9425bf5, 0xa94153f3, 0xa8c57bfd, 0xd65f03c0], // restore; ret
    ),
  },
};

/** Name of the one function. */
export const CALL_SYMBOL = "call";

const HASH = 288, SYMBOLS = 312, NAMES = 360, CODE = 368, DYNAMIC = 512, SIZE = 608;
/** Where the writable segment is mapped: a page of its own whatever the page size (up to 64 KiB). */
const WRITABLE = 0x10000;

/** The ELF image for one processor. */
export function encodeCallElf(arch: CallArch): Bytes {
  return encodeElf(arch.machine, arch.code, CALL_SYMBOL);
}

/** A shared object with one function: up to 144 bytes of code that lie anywhere, under a name of up to 6 characters. */
export function encodeElf(machine: number, code: readonly number[], symbol: string): Bytes {
  if (code.length > DYNAMIC - CODE || symbol.length > CODE - NAMES - 2) {
    throw new RangeError("no room for the function");
  }
  const image = new Uint8Array(SIZE);
  const view = new DataView(image.buffer);
  let at = 0;
  const u16 = (...values: number[]): void => values.forEach((v) => (view.setUint16(at, v, true), at += 2));
  const u32 = (...values: number[]): void => values.forEach((v) => (view.setUint32(at, v, true), at += 4));
  const u64 = (...values: number[]): void => values.forEach((v) => (view.setBigUint64(at, BigInt(v), true), at += 8));
  const segment = (type: number, flags: number, offset: number, address: number, size: number, align: number): void => {
    u32(type, flags);
    u64(offset, address, address, size, size, align);
  };
  const codeEnd = CODE + code.length;

  u32(0x464c457f, 0x00010102), u64(0); // ELF, 64 bits, little endian
  u16(3, machine), u32(1), u64(0, 64, 0), u32(0); // shared object; program headers at 64
  u16(64, 56, 4, 0, 0, 0);
  segment(1, 5, 0, 0, codeEnd, WRITABLE); // LOAD r-x
  segment(1, 6, DYNAMIC, WRITABLE + DYNAMIC, SIZE - DYNAMIC, WRITABLE); // LOAD rw-: ld.so relocates it in place
  segment(2, 6, DYNAMIC, WRITABLE + DYNAMIC, SIZE - DYNAMIC, 8); // DYNAMIC
  segment(0x6474e551, 6, 0, 0, 0, 16); // GNU_STACK rw-: else ld.so wants an executable stack

  at = HASH, u32(1, 2, 1, 0, 0); // one bucket, two symbols
  at = SYMBOLS + 24, u32(1), u16(0x12, 1), u64(CODE, code.length); // global function in section 1
  image.set(new TextEncoder().encode(`\0${symbol}\0`), NAMES);
  image.set(code, CODE);
  at = DYNAMIC, u64(4, HASH, 5, NAMES, 6, SYMBOLS, 10, symbol.length + 2, 11, 24, 0, 0);
  return image;
}

/** Instructions of 4 bytes. */
export function words(...values: number[]): number[] {
  return values.flatMap((v) => [v & 0xff, (v >>> 8) & 0xff, (v >>> 16) & 0xff, v >>> 24]);
}
