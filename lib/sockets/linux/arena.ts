/**
 * The memory that the kernel reads and writes: one range of addresses below 2 GB, so that an address is a number of 31
 * bits, mapped once for each thread outside V8's heap, so that no buffer moves or is freed under a system call.
 *
 * Who owns which range until when:
 *
 * - The kernel uses a range only during a system call, which is synchronous. No range is handed over for longer: epoll
 *   reports that a call is possible, and the bytes move within that call. (The descriptor of one asynchronous poll in
 *   {@linkcode WAKE} is copied by the kernel when it is submitted.)
 * - {@linkcode ARGUMENTS} belongs to the function that makes the call, until it has read the results.
 * - {@linkcode EVENTS} belongs to the turn of the loop that called epoll_wait, until it has handled all events.
 * - {@linkcode RECEIVED} belongs to the socket that is being read, and is lent to its handler during `received`. No
 *   other socket is read meanwhile, because sockets are read from the loop alone.
 * - {@linkcode SCRATCH} belongs to whoever composes a message in it, until the next call of any function of the driver:
 *   a write copies bytes from elsewhere into it for the system call.
 *
 * The mapping is never removed, so no view of it can point to memory that is gone, even when its thread has ended.
 *
 * @module
 */

import type { CLibrary } from "./c_library.ts";

/** A range of the arena, as offsets. */
export interface Range {
  readonly start: number;
  readonly bytes: number;
}

/** Arguments and results of one call: socket addresses, options, one epoll_event. */
export const ARGUMENTS: Range = { start: 0, bytes: 1024 };
/** What wakes the loop: the descriptor of the poll. */
export const WAKE: Range = { start: 1024, bytes: 1024 };
/** Events of one batch. */
export const EVENTS: Range = { start: 4 * 1024, bytes: 4 * 1024 };
/** Bytes that were received by one call: a response of 64 KiB with its head. */
export const RECEIVED: Range = { start: 48 * 1024, bytes: 80 * 1024 };
/** Bytes that are sent by one call. */
export const SCRATCH: Range = { start: 128 * 1024, bytes: 256 * 1024 };

/** Where memory begins that one driver alone has. */
export const COMMON_BYTES: number = SCRATCH.start + SCRATCH.bytes;

/** The memory of one thread. */
export class Arena {
  /** Address of the first byte, below 2 GB. */
  readonly address: number;
  /** What {@linkcode bytes} lies in: to ask a view for its buffer is a call. */
  readonly buffer: ArrayBuffer;
  /** All of it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** All of it as signed numbers of 32 bits. */
  readonly words: Int32Array<ArrayBuffer>;
  /** {@linkcode SCRATCH}. */
  readonly scratch: Uint8Array<ArrayBuffer>;

  /**
   * Maps it.
   *
   * @param totalBytes Its size, more than {@linkcode COMMON_BYTES} for a driver with memory of its own.
   * @throws {Error} If no range below 2 GB is free.
   */
  constructor(library: CLibrary, totalBytes: number = COMMON_BYTES) {
    this.address = mapLow(library, totalBytes);
    const pointer = Deno.UnsafePointer.create(BigInt(this.address)) as Deno.PointerObject;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, totalBytes);
    // Code that took lent bytes for its own, and detached them, would take the memory of all sockets away.
    Object.defineProperty(buffer, "transfer", { value: refuseTransfer });
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.scratch = this.bytes.subarray(SCRATCH.start, SCRATCH.start + SCRATCH.bytes);
  }

  /** Puts a number of 32 bits at `offset`, a multiple of 4, and returns its address. */
  put(offset: number, value: number): number {
    this.words[offset >> 2] = value;
    return this.address + offset;
  }

  /** Puts text and a zero byte at `offset`, and returns its address. All characters are below 128. */
  putText(offset: number, text: string): number {
    for (let i = 0; i < text.length; i++) this.bytes[offset + i] = text.charCodeAt(i);
    this.bytes[offset + text.length] = 0;
    return this.address + offset;
  }

  /** The text from `offset` up to a zero byte. */
  text(offset: number): string {
    let text = "";
    for (let i = offset; this.bytes[i] !== 0; i++) text += String.fromCharCode(this.bytes[i]);
    return text;
  }
}

function refuseTransfer(): never {
  throw new TypeError("Cannot detach the memory of sockets: its bytes are lent, and belong to nobody else");
}

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** x86-64 alone: the first 2 GB. */
const MAP_32BIT = 0x40;
const MAP_FIXED_NOREPLACE = 0x100000;

/** Where other processors are asked for room: every 16 MB from 256 MB on. */
const FIRST_PLACE = 0x1000_0000;
const PLACE_STEP = 0x100_0000;
const END = 0x8000_0000;

function mapLow(library: CLibrary, bytes: number): number {
  const map = (place: number, flags: number): number => {
    const address = Number(
      library.mmap(BigInt(place), BigInt(bytes), PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS | flags, -1, 0n),
    );
    if (address > 0 && address + bytes <= END) return address;
    // MAP_FAILED is the largest address; kernels before 4.17 take the place for a wish.
    if (address < Number.MAX_SAFE_INTEGER) library.munmap(BigInt(address), BigInt(bytes));
    return 0;
  };
  if (Deno.build.arch === "x86_64") {
    const address = map(0, MAP_32BIT);
    if (address !== 0) return address;
  }
  for (let place = FIRST_PLACE; place < END; place += PLACE_STEP) {
    const address = map(place, MAP_FIXED_NOREPLACE);
    if (address !== 0) return address;
  }
  throw new Error("no memory below 2 GB could be mapped");
}
