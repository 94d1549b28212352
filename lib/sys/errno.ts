/**
 * What the kernel's error numbers are called and what they mean. Pure: a table.
 *
 * The numbers are Linux's generic ones, the same on x86-64 and arm64 (asm-generic/errno.h).
 *
 * @module
 */

/** One error number, explained. */
export interface Errno {
  readonly number: number;
  /** `ENOENT`; `errno 200` for a number that has no name. */
  readonly name: string;
  /** The meaning in lower-case words. */
  readonly meaning: string;
}

const TABLE = `
1 EPERM operation not permitted
2 ENOENT no such file or directory
3 ESRCH no such process
4 EINTR interrupted by a signal
5 EIO input/output error
6 ENXIO no such device or address
7 E2BIG argument list too long
8 ENOEXEC not an executable format
9 EBADF bad file descriptor
10 ECHILD no child process
11 EAGAIN try again
12 ENOMEM out of memory
13 EACCES permission denied
14 EFAULT bad address
15 ENOTBLK not a block device
16 EBUSY device or resource busy
17 EEXIST file exists
18 EXDEV link across file systems
19 ENODEV no such device
20 ENOTDIR not a directory
21 EISDIR is a directory
22 EINVAL invalid argument
23 ENFILE too many open files on this system
24 EMFILE too many open files in this process
25 ENOTTY the device does not know this ioctl
26 ETXTBSY executable file busy
27 EFBIG file too large
28 ENOSPC no space left on device
29 ESPIPE cannot seek
30 EROFS read-only file system or write-protected device
31 EMLINK too many links
32 EPIPE broken pipe
33 EDOM out of domain, or queue full
34 ERANGE result out of range
35 EDEADLK would deadlock
36 ENAMETOOLONG name too long
37 ENOLCK no locks available
38 ENOSYS not implemented
39 ENOTEMPTY directory not empty
40 ELOOP too many symbolic links
42 ENOMSG no such message
43 EIDRM identifier removed
52 EBADE invalid exchange, or reservation conflict
61 ENODATA no data, or medium error
62 ETIME timer expired
67 ENOLINK link severed
70 ECOMM communication error on send
71 EPROTO protocol error
74 EBADMSG bad message
75 EOVERFLOW value too large
84 EILSEQ invalid byte sequence, or data integrity error
88 ENOTSOCK not a socket
89 EDESTADDRREQ destination address required
90 EMSGSIZE message too long
91 EPROTOTYPE wrong protocol type
92 ENOPROTOOPT protocol option not available
93 EPROTONOSUPPORT protocol not supported
94 ESOCKTNOSUPPORT socket type not supported
95 EOPNOTSUPP operation not supported
97 EAFNOSUPPORT address family not supported
98 EADDRINUSE address in use
99 EADDRNOTAVAIL address not available
100 ENETDOWN network is down
101 ENETUNREACH network unreachable
103 ECONNABORTED connection aborted
104 ECONNRESET connection reset by peer
105 ENOBUFS no buffer space
106 EISCONN already connected
107 ENOTCONN not connected
110 ETIMEDOUT timed out
111 ECONNREFUSED connection refused
112 EHOSTDOWN host is down
113 EHOSTUNREACH no route to host
114 EALREADY already in progress
115 EINPROGRESS in progress
116 ESTALE stale file handle
121 EREMOTEIO remote input/output error, or target failure
122 EDQUOT quota exceeded
123 ENOMEDIUM no medium
124 EMEDIUMTYPE wrong medium type
125 ECANCELED canceled
126 ENOKEY no such key
`;

const BY_NUMBER = new Map<number, Errno>();
const BY_NAME = new Map<string, number>();
for (const [, digits, name, meaning] of TABLE.matchAll(/^(\d+) (\w+) (.+)$/gm)) {
  const number = Number(digits);
  BY_NUMBER.set(number, { number, name: name!, meaning: meaning! });
  BY_NAME.set(name!, number);
}

/** Explains an error number; sign does not matter. */
export function describeErrno(number: number): Errno {
  const errno = Math.abs(number);
  return BY_NUMBER.get(errno) ?? { number: errno, name: `errno ${errno}`, meaning: "an error without a name here" };
}

/** The number of a name such as `ENOENT` (what Deno's own errors carry as `code`); undefined for an unknown one. */
export function errnoNumber(name: string): number | undefined {
  return BY_NAME.get(name);
}

/** A system call failed, and this is its own errno. */
export class SysError extends Error {
  override readonly name = "SysError";
  readonly errno: number;
  /** `ENOENT` and so on. */
  readonly code: string;

  /** `call`: the system call; `target`: what it was done to. The sign of `errno` does not matter. */
  constructor(readonly call: string, readonly target: string, errno: number) {
    const { number, name, meaning } = describeErrno(errno);
    super(`${call} ${target}: ${name} (${meaning})`);
    this.errno = number;
    this.code = name;
  }
}
