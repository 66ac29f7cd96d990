/**
 * The functions of the C library that the drivers of Linux call. Arguments and results are 32 bits wide, so that V8 calls them
 * directly from compiled code (fast API calls); pointers are addresses of the {@link Arena}, which lies below 2 GB. A
 * `ssize_t` loses only bits that no result here has.
 *
 * @module
 */

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "u32", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "u32", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "u32", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "u32", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "u32", "u32"], result: "i32" },
  recv: { parameters: ["i32", "u32", "u32", "i32"], result: "i32" },
  sendfile: { parameters: ["i32", "i32", "u32", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "u32"], result: "i32" },
  epoll_wait: { parameters: ["i32", "u32", "i32", "i32"], result: "i32" },
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  inet_pton: { parameters: ["i32", "u32", "u32"], result: "i32" },
  inet_ntop: { parameters: ["i32", "u32", "u32", "u32"], result: "pointer" },
  if_nametoindex: { parameters: ["u32"], result: "u32" },
  clock_gettime: { parameters: ["i32", "u32"], result: "i32" },
  strerror: { parameters: ["i32"], result: "pointer" },
  __errno_location: { parameters: [], result: "pointer" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "usize" },
  munmap: { parameters: ["usize", "usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

// A second view of the library, because a symbol has one signature. `syscall` takes the handle of asynchronous I/O, an
// address above 4 GB, as a BigInt that never changes.
const SYSCALL = {
  syscall: { parameters: ["i32", "u64", "u32", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

// A third one, for the calls of io_uring: the number, a descriptor, and five arguments, of which the last is 64 bits wide
// because it lies on the stack.
const RING_CALL = {
  syscall: { parameters: ["i32", "i32", "u32", "u32", "u32", "u32", "u64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

// A fourth one, for accepting, sending, receiving and closing: the number, a descriptor, and five arguments. `accept4`, `send`,
// `recv` and `close` of the library are points where a thread can be cancelled, which takes 50 ns a call.
const MESSAGE_CALL = {
  syscall: { parameters: ["i32", "i32", "u32", "u32", "u32", "u32", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Functions of the C library. */
export type CLibrary =
  & Deno.DynamicLibrary<typeof SYMBOLS>["symbols"]
  & Deno.DynamicLibrary<typeof SYSCALL>["symbols"];

const GETTID = { x86_64: 186, aarch64: 178 };

/** File names of the C library: of glibc, and of musl. */
const NAMES: readonly string[] = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];

let opened: CLibrary | undefined;

/**
 * Opens the C library with other signatures.
 *
 * @throws {Error} If there is none that has all functions, or `--allow-ffi` was not given.
 */
export function openLibrary<const Symbols extends Deno.ForeignLibraryInterface>(
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols>["symbols"] {
  let failure: unknown;
  for (const name of NAMES) {
    try {
      return Deno.dlopen(name, symbols).symbols;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/**
 * The C library of this thread. It is never closed: compiled code holds its addresses.
 *
 * @throws {Error} If there is none that has all functions, or `--allow-ffi` was not given.
 */
export function cLibrary(): CLibrary {
  return opened ??= { ...openLibrary(SYMBOLS), ...openLibrary(SYSCALL) };
}

/** Calls `syscall` with arguments of 32 bits and a BigInt. */
export type RingCall = Deno.DynamicLibrary<typeof RING_CALL>["symbols"]["syscall"];

let openedRingCall: RingCall | undefined;

/**
 * `syscall` with arguments of 32 bits and a BigInt.
 *
 * @throws {Error} As {@linkcode cLibrary} does.
 */
export function ringCall(): RingCall {
  return openedRingCall ??= openLibrary(RING_CALL).syscall;
}

/** Calls `syscall` with a descriptor and five arguments of 32 bits. */
export type MessageCall = Deno.DynamicLibrary<typeof MESSAGE_CALL>["symbols"]["syscall"];

let openedMessageCall: MessageCall | undefined;

/**
 * `syscall` with a descriptor and five arguments of 32 bits.
 *
 * @throws {Error} As {@linkcode cLibrary} does.
 */
export function messageCall(): MessageCall {
  return openedMessageCall ??= openLibrary(MESSAGE_CALL).syscall;
}

/** Number of this thread. */
export function threadNumber(): number {
  return cLibrary().syscall(GETTID[Deno.build.arch], 0n, 0, 0);
}
