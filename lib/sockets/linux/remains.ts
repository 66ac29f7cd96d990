/**
 * What a thread leaves behind when it has ended: descriptors that the C library has opened are the process's, and the
 * runtime does not know them. Peers of a worker that was ended from outside would wait for ever, and a port that it
 * shared would still get its part of new connections. So whoever ended the worker closes what remains.
 *
 * @module
 */

import { DESCRIPTORS } from "../uring/memory.ts";
import { OP_CLOSE, REQUEST_BYTES, type RingRemains } from "../uring/ring.ts";
import { openLibrary } from "./c_library.ts";
import { readProc } from "./proc_file.ts";

/** What remains of the driver of one thread. Survives structured cloning. */
export type SocketRemains = EpollRemains | UringRemains;

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

/** What remains of the driver `uring`. */
export interface UringRemains {
  readonly driver: "uring";
  readonly thread: number;
  readonly ring: RingRemains;
  /** Address and size of its memory. */
  readonly arena: number;
  readonly arenaBytes: number;
}

const SYMBOLS = {
  close: { parameters: ["i32"], result: "i32" },
  munmap: { parameters: ["usize", "usize"], result: "i32" },
  syscall: { parameters: ["i32", "u64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

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
  if (remains.driver === "epoll") closeEpoll(remains);
  else closeUring(remains);
}

function closeEpoll({ epoll, context }: EpollRemains): void {
  const { close, syscall } = symbols();
  // Without that of the runtime's reactor (epoll/reactor_watch.ts), which is the runtime's to close.
  const descriptors = readProc(`fdinfo/${epoll}`).matchAll(/^tfd:\s*(\d+)(?!.*data:\s*ffffffff)/gm);
  for (const [, descriptor] of descriptors) close(Number(descriptor));
  close(epoll);
  // A poll of a thread that ended while it waited is cancelled.
  syscall(IO_DESTROY[Deno.build.arch], context);
}

// Nobody but this thread uses the memory of the other any more. The kernel cancels what is under way when the ring is closed,
// without looking at memory, and the ring is closed when nothing maps it.
function closeUring({ ring, arena, arenaBytes }: UringRemains): void {
  const { close, munmap } = symbols();
  for (const descriptor of openDescriptors(words(BigInt(arena), arenaBytes))) close(descriptor);
  for (const descriptor of unseenCloses(ring)) close(descriptor);
  munmap(ring.requests, BigInt(ring.requestsBytes));
  munmap(ring.rings, BigInt(ring.ringsBytes));
  close(ring.descriptor);
  munmap(BigInt(arena), BigInt(arenaBytes));
}

/** Descriptors that the driver has opened. */
function* openDescriptors(arena: Int32Array): Generator<number> {
  for (let i = 0; i < DESCRIPTORS.bytes / 4; i++) {
    const bits = arena[(DESCRIPTORS.start >> 2) + i];
    for (let bit = 0; bits !== 0 && bit < 32; bit++) if ((bits & 1 << bit) !== 0) yield i * 32 + bit;
  }
}

/** Descriptors that the driver has closed by requests which the kernel has not seen. */
function* unseenCloses({ rings, ringsBytes, requests, requestsBytes, head, tail }: RingRemains): Generator<number> {
  const [ring, entries] = [words(rings, ringsBytes), words(requests, requestsBytes)];
  const count = requestsBytes / REQUEST_BYTES;
  for (let i = ring[head >> 2]; i !== ring[tail >> 2]; i = i + 1 | 0) {
    const at = (i & count - 1) * REQUEST_BYTES / 4;
    if ((entries[at] & 0xff) === OP_CLOSE) yield entries[at + 1];
  }
}

function words(address: bigint, bytes: number): Int32Array {
  const pointer = Deno.UnsafePointer.create(address) as Deno.PointerObject;
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(pointer, bytes));
}

/** Whether a thread of this process lives. */
function lives(thread: number): boolean {
  return readProc(`task/${thread}/comm`) !== "";
}

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function symbols(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return opened ??= openLibrary(SYMBOLS);
}
