/**
 * What a thread leaves behind when it has ended: descriptors that the C library has opened are the process's, and the
 * runtime does not know them. Peers of a worker that was ended from outside would wait for ever, and a port that it
 * shared would still get its part of new connections. So whoever ended the worker closes what remains.
 *
 * @module
 */

import { openLibrary } from "./c_library.ts";

/** What remains of the driver of one thread. Survives structured cloning. */
export type SocketRemains = EpollRemains;

/** What remains of the driver `epoll`. */
export interface EpollRemains {
  readonly driver: "epoll";
  /** Number of the thread. */
  readonly thread: number;
  /** The epoll descriptor, which knows all sockets of the driver. */
  readonly epoll: number;
  /** Handle of asynchronous I/O. */
  readonly context: bigint;
}

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  syscall: { parameters: ["i32", "u64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const O_RDONLY_CLOEXEC = 0x80000;
const IO_DESTROY = { x86_64: 207, aarch64: 1 };

/** Pauses before it is looked again whether the thread has ended, in milliseconds. */
const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 1000;

/**
 * Closes all descriptors that the driver of an ended thread has left behind. It waits until the thread has really ended,
 * which takes its time after `Worker.terminate()`: a thread that still runs would use the numbers of descriptors that
 * are somebody else's by then. The wait keeps no process alive.
 */
export async function closeRemains(remains: SocketRemains): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; lives(remains.thread); pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, pauseMs) as unknown as number));
  }
  closeEpoll(remains);
}

function closeEpoll({ epoll, context }: EpollRemains): void {
  const { close, syscall } = symbols();
  for (const [, descriptor] of readProc(`fdinfo/${epoll}`).matchAll(/^tfd:\s*(\d+)/gm)) close(Number(descriptor));
  close(epoll);
  // A poll of a thread that ended while it waited is cancelled.
  syscall(IO_DESTROY[Deno.build.arch], context);
}

/** Whether a thread of this process lives. */
function lives(thread: number): boolean {
  return readProc(`task/${thread}/comm`) !== "";
}

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function symbols(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return opened ??= openLibrary(SYMBOLS);
}

/** The text of a file of this process in /proc, for which the runtime asks all permissions; empty if there is none. */
function readProc(name: string): string {
  const { open, read, close } = symbols();
  const file = open(new TextEncoder().encode(`/proc/self/${name}\0`), O_RDONLY_CLOEXEC);
  if (file < 0) return "";
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  let text = "";
  for (let count; (count = Number(read(file, buffer, BigInt(buffer.length)))) > 0;) {
    text += decoder.decode(buffer.subarray(0, count));
  }
  close(file);
  return text;
}
