/**
 * The memory of the driver `uring` behind the common part of the {@link Arena}. Unlike with epoll, the kernel uses parts of
 * it after the call that handed them over has returned. Who owns which part until when:
 *
 * - {@linkcode DESCRIPTORS} has one bit for each descriptor of the driver, for whoever closes what remains of an ended
 *   thread. Only this thread writes to it.
 * - {@linkcode BUFFER_RING} lists the receive buffers that the kernel may take. This thread adds to it, the kernel takes.
 * - A buffer of {@linkcode BUFFERS} is the kernel's from the time at which it is listed. Each completion names one, and gives
 * its bytes to this thread, which lends them to the handler during `received`, or copies them during a pause. Where the
 * kernel can (Linux 6.12), it goes on behind them in the same buffer. With the last one the whole buffer is this
 * thread's, and is listed again once its bytes are handled; those of all completions before it are by then.
 * - Bytes that are to be sent are this thread's in {@linkcode SENT}, and the kernel's during io_uring_enter alone: a send is
 * tried once, within the call that shows it to the kernel. All of the range is free again when that call has returned, and
 * what was not sent was copied from it ({@linkcode UringLoop} sees to both before anything else).
 *
 * @module
 */

import { type Arena, COMMON_BYTES, type Range } from "../linux/arena.ts";

/**
 * How many receive buffers there are, a power of two, and the size of all. The kernel takes them in turn, so that all of them
 * together should fit the processor's cache; it handles about 20 completions in one call. Where it fills each step by step, few
 * large ones do for any number of small messages. One of 64 KiB would be too small for a message of 64 KiB with its head, which
 * came in two parts: of 128 KiB, they made GET of 64 KB and uploads of 1 MB cost a sixth less.
 */
export const BUFFER_COUNTS = { whole: 64, filled: 16 } as const;
const BUFFERS_BYTES = 2 * 1024 * 1024;
/** Descriptors above are not known to whoever closes what remains. */
const MAX_DESCRIPTORS = 512 * 1024;

/** Bits of the descriptors. */
export const DESCRIPTORS: Range = { start: COMMON_BYTES, bytes: MAX_DESCRIPTORS / 8 };
/** Structures io_uring_buf. */
export const BUFFER_RING: Range = { start: DESCRIPTORS.start + DESCRIPTORS.bytes, bytes: 4096 };
/** Receive buffers. */
export const BUFFERS: Range = { start: BUFFER_RING.start + BUFFER_RING.bytes, bytes: BUFFERS_BYTES };
/** Bytes of small messages until the kernel has seen them. */
export const SENT: Range = { start: BUFFERS.start + BUFFERS.bytes, bytes: 1024 * 1024 };

/** Where the tail of the ring lies, in units of 16 bits. */
const TAIL = (BUFFER_RING.start + 14) >> 1;

/** Size of the whole arena. */
export const URING_BYTES: number = SENT.start + SENT.bytes;

/** The descriptors of the driver. Owned by the loop. */
export class DescriptorSet {
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(arena: Arena) {
    this.#words = arena.words.subarray(DESCRIPTORS.start >> 2, (DESCRIPTORS.start + DESCRIPTORS.bytes) >> 2);
  }

  add(descriptor: number): void {
    if (descriptor < MAX_DESCRIPTORS) this.#words[descriptor >> 5] |= 1 << (descriptor & 31);
  }

  delete(descriptor: number): void {
    if (descriptor < MAX_DESCRIPTORS) this.#words[descriptor >> 5] &= ~(1 << (descriptor & 31));
  }
}

/** The receive buffers, by number. Owned by the loop. */
export class ReceiveBuffers {
  readonly count: number;
  /** The size of each. */
  readonly bytes: number;
  /** How much of each buffer the kernel gets. Tests make it smaller. */
  length: number;
  readonly #arena: Arena;
  readonly #halves: Uint16Array<ArrayBuffer>;
  /** By number, how many bytes of it completions have named since it was listed. */
  readonly #used: Int32Array<ArrayBuffer>;
  #added = 0;

  /**
   * All buffers become the kernel's. The ring, all zeros, has been registered.
   *
   * @param filled Whether the kernel fills each step by step.
   */
  constructor(arena: Arena, filled: boolean) {
    this.#arena = arena;
    this.count = filled ? BUFFER_COUNTS.filled : BUFFER_COUNTS.whole;
    this.length = this.bytes = BUFFERS_BYTES / this.count;
    this.#halves = new Uint16Array(arena.bytes.buffer);
    this.#used = new Int32Array(this.count);
    for (let number = 0; number < this.count; number++) this.give(number);
  }

  /** Where in the arena the `bytes` begin that a completion has brought in this buffer. */
  take(number: number, bytes: number): number {
    const used = this.#used[number];
    this.#used[number] = used + bytes;
    return BUFFERS.start + number * this.bytes + used;
  }

  /** Gives a buffer, which nobody reads any more, to the kernel. */
  give(number: number): void {
    const { words, address } = this.#arena;
    const at = (BUFFER_RING.start >> 2) + (this.#added & (this.count - 1)) * 4;
    words[at] = address + BUFFERS.start + number * this.bytes;
    words[at + 1] = 0;
    words[at + 2] = this.length;
    // The other half of this word is, in the first entry, the tail.
    this.#halves[(at + 3) << 1] = number;
    this.#used[number] = 0;
    this.#added = (this.#added + 1) & 0xffff;
    this.#halves[TAIL] = this.#added;
  }
}

/** Where messages begin in {@linkcode SENT}: at lines of the processor's cache. */
const ALIGNMENT = 64;

/** The memory to send from. Owned by the loop. */
export class SendMemory {
  #end = SENT.start;

  /** Where in the arena `bytes` can be put; -1 if there is no room. */
  take(bytes: number): number {
    const start = (this.#end + ALIGNMENT - 1) & -ALIGNMENT;
    if (start + bytes > SENT.start + SENT.bytes) return -1;
    this.#end = start + bytes;
    return start;
  }

  /** Takes `bytes` more behind what was taken last, if that ends at `end`. Returns whether it could. */
  extend(end: number, bytes: number): boolean {
    if (end !== this.#end || end + bytes > SENT.start + SENT.bytes) return false;
    this.#end += bytes;
    return true;
  }

  /** Everything is free again. */
  clear(): void {
    this.#end = SENT.start;
  }
}
