/**
 * The memory of the driver `uring` behind the common part of the {@link Arena}. Unlike with epoll, the kernel uses parts of
 * it after the call that handed them over has returned. Who owns which part until when:
 *
 * - {@linkcode DESCRIPTORS} has one bit for each descriptor of the driver, for whoever closes what remains of an ended
 *   thread. Only this thread writes to it.
 * - {@linkcode BUFFER_RING} lists the receive buffers that the kernel may take. This thread adds to it, the kernel takes.
 * - A buffer of {@linkcode BUFFERS} is the kernel's from the time at which it is listed until a completion names it. Then it
 *   is this thread's, is lent to the handler during `received` or copied during a pause, and is listed again at once.
 * - A slot of {@linkcode SLOTS} is the socket's that took it to send from it. From the submission of the send until its
 *   completion it is the kernel's too: nothing in it is changed, and it is not given to another socket, also when its
 *   socket is closed meanwhile.
 *
 * @module
 */

import { type Arena, COMMON_BYTES, type Range } from "../linux/arena.ts";

/**
 * How many receive buffers there are, a power of two, and the size of each. The kernel takes them in turn, so that all of them
 * together should fit the processor's cache; it handles about 20 completions in one call.
 */
export const BUFFER_COUNT = 32;
export const BUFFER_BYTES: number = 32 * 1024;
/** How many slots to send from there are, and the size of each. */
export const SLOT_COUNT = 128;
export const SLOT_BYTES: number = 16 * 1024;
/** Descriptors above are not known to whoever closes what remains. */
const MAX_DESCRIPTORS = 512 * 1024;

/** Bits of the descriptors. */
export const DESCRIPTORS: Range = { start: COMMON_BYTES, bytes: MAX_DESCRIPTORS / 8 };
/** Structures io_uring_buf. */
export const BUFFER_RING: Range = { start: DESCRIPTORS.start + DESCRIPTORS.bytes, bytes: 4096 };
/** Receive buffers. */
export const BUFFERS: Range = { start: BUFFER_RING.start + BUFFER_RING.bytes, bytes: BUFFER_COUNT * BUFFER_BYTES };
/** Slots to send from. */
export const SLOTS: Range = { start: BUFFERS.start + BUFFERS.bytes, bytes: SLOT_COUNT * SLOT_BYTES };

/** Where the tail of the ring lies, in units of 16 bits. */
const TAIL = (BUFFER_RING.start + 14) >> 1;

/** Size of the whole arena. */
export const URING_BYTES: number = SLOTS.start + SLOTS.bytes;

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
  readonly #arena: Arena;
  readonly #halves: Uint16Array<ArrayBuffer>;
  #added = 0;
  /** How much of each buffer the kernel gets. Tests make it smaller. */
  length = BUFFER_BYTES;

  /** All buffers become the kernel's once the ring is registered. */
  constructor(arena: Arena) {
    this.#arena = arena;
    arena.bytes.fill(0, BUFFER_RING.start, BUFFER_RING.start + BUFFER_RING.bytes);
    this.#halves = new Uint16Array(arena.bytes.buffer);
    for (let number = 0; number < BUFFER_COUNT; number++) this.give(number);
  }

  /** Where a buffer begins in the arena. */
  start(number: number): number {
    return BUFFERS.start + number * BUFFER_BYTES;
  }

  /** Gives a buffer, which nobody reads any more, to the kernel. */
  give(number: number): void {
    const { words, address } = this.#arena;
    const at = (BUFFER_RING.start >> 2) + (this.#added & (BUFFER_COUNT - 1)) * 4;
    words[at] = address + this.start(number);
    words[at + 1] = 0;
    words[at + 2] = this.length;
    // The other half of this word is, in the first entry, the tail.
    this.#halves[(at + 3) << 1] = number;
    this.#added = (this.#added + 1) & 0xffff;
    this.#halves[TAIL] = this.#added;
  }
}

/** The slots to send from, by their offset in the arena. Owned by the loop. */
export class SendSlots {
  readonly #free: number[] = [];

  constructor() {
    for (let number = SLOT_COUNT - 1; number >= 0; number--) this.#free.push(SLOTS.start + number * SLOT_BYTES);
  }

  /** A free slot; -1 if there is none. */
  take(): number {
    return this.#free.pop() ?? -1;
  }

  /** Gives back a slot that no send uses. */
  release(slot: number): void {
    this.#free.push(slot);
  }
}
