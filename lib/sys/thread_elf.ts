/**
 * The code of a thread that executes ioctls for others: takes the address of a block from a pipe, calls, gives the address
 * back through another pipe, until the first pipe ends. Pure: numbers.
 *
 *     void *serve(fds):  fds = requests | answers << 32
 *       while read(requests, &block, 8) == 8:
 *         block->result = ioctl(block->fd, block->request, block)
 *         write(answers, &block, 8)
 *
 * Why not the runtime's own threads, as call_elf.ts has them: one nonblocking foreign call costs about 10 µs of arguments
 * boxed, a task queued, a thread woken, a promise settled from afar; handing over an address costs a write of 8 bytes for
 * as many commands as there are at the moment (docs/decisions/0040-command-threads.md has the figures).
 *
 * @module
 */
import { words } from "./call_elf.ts";

/** Where in a block the thread finds what to call and leaves what came of it, all of 4 bytes. */
export const BLOCK_FD = 372, BLOCK_REQUEST = 376, BLOCK_RESULT = 380;
/** Name of the function. */
export const SERVE_SYMBOL = "serve";

/** Code by `Deno.build.arch`. */
export const SERVE_CODE: Readonly<Record<string, readonly number[]>> = {
  x86_64: [
    ...[0x53, 0x55, 0x41, 0x54, 0x48, 0x83, 0xec, 0x10], // push rbx, rbp, r12; sub rsp, 16
    ...[0x41, 0x89, 0xfc, 0x48, 0x89, 0xfd, 0x48, 0xc1, 0xed, 0x20], // mov r12d, edi; mov rbp, rdi; shr rbp, 32
    ...[0x31, 0xc0, 0x44, 0x89, 0xe7, 0x48, 0x89, 0xe6], // next: xor eax, eax read; mov edi, r12d; mov rsi, rsp
    ...[0xba, 8, 0, 0, 0, 0x0f, 0x05], // mov edx, 8; syscall
    ...[0x48, 0x83, 0xf8, 0x08, 0x75, 0x33], // cmp rax, 8; jne end
    ...[0x48, 0x8b, 0x1c, 0x24, 0xb8, 16, 0, 0, 0], // mov rbx, [rsp]; mov eax, 16 ioctl
    ...[0x8b, 0xbb, 0x74, 1, 0, 0, 0x8b, 0xb3, 0x78, 1, 0, 0], // mov edi, [rbx+372]; mov esi, [rbx+376]
    ...[0x48, 0x89, 0xda, 0x0f, 0x05, 0x89, 0x83, 0x7c, 1, 0, 0], // mov rdx, rbx; syscall; mov [rbx+380], eax
    ...[0xb8, 1, 0, 0, 0, 0x89, 0xef, 0x48, 0x89, 0xe6], // mov eax, 1 write; mov edi, ebp; mov rsi, rsp
    ...[0xba, 8, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xb8], // mov edx, 8; syscall; jmp next
    ...[0x48, 0x83, 0xc4, 0x10, 0x41, 0x5c, 0x5d, 0x5b, 0x31, 0xc0, 0xc3], // end: add rsp, 16; pop r12, rbp, rbx; ret 0
  ],
  aarch64: words(
    ...[0xa9bc7bfd, 0xa90153f3, 0xf90013f5], // stp x29, x30, [sp, -64]!; stp x19, x20, [sp, 16]; str x21, [sp, 32]
    ...[0x2a0003f3, 0xd360fc14], // mov w19, w0; lsr x20, x0, 32
    ...[0x528007e8, 0x2a1303e0, 0x9100a3e1, 0xd2800102], // next: mov w8, 63 read; mov w0, w19; add x1, sp, 40; mov x2, 8
    ...[0xd4000001, 0xf100201f, 0x540001c1], // svc 0; cmp x0, 8; b.ne end
    ...[0xf94017f5, 0x528003a8, 0xb94176a0, 0xb9417aa1], // ldr x21, [sp, 40]; mov w8, 29 ioctl; ldr w0, w1, [x21, 372, 376]
    ...[0xaa1503e2, 0xd4000001, 0xb9017ea0], // mov x2, x21; svc 0; str w0, [x21, 380]
    ...[0x52800808, 0x2a1403e0, 0x9100a3e1, 0xd2800102], // mov w8, 64 write; mov w0, w20; add x1, sp, 40; mov x2, 8
    ...[0xd4000001, 0x17ffffed], // svc 0; b next
    ...[0xf94013f5, 0xa94153f3, 0xa8c47bfd, 0xd2800000, 0xd65f03c0], // end: restore; mov x0, 0; ret
  ),
};
