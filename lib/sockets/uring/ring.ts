/**
 * One ring of io_uring: requests go to the kernel by a queue in memory that both see, and completions come back by another.
 * No request is seen by the kernel before {@linkcode Ring.enter}, the only system call.
 *
 * The ring is set up for this thread alone, and its completions are posted during `enter` alone (IORING_SETUP_DEFER_TASKRUN,
 * Linux 6.1), so that neither queue changes while this thread looks at it.
 *
 * @module
 */

import { type Arena, WAKE } from "../linux/arena.ts";
import { type CLibrary, type RingCall, ringCall } from "../linux/c_library.ts";
import { EINVAL, systemError } from "../linux/system_error.ts";
import { BUFFER_COUNTS, BUFFER_RING } from "./memory.ts";
import type { UringCalls } from "./uring_calls.ts";

/** Entries of the two queues. */
const REQUESTS = 2048;
const COMPLETIONS = 16 * 1024;

/** Numbers of the system calls, on all processors. */
const SETUP = 425;
const ENTER = 426;
const REGISTER = 427;

const CQSIZE = 1 << 3;
const CLAMP = 1 << 4;
const SUBMIT_ALL = 1 << 7;
const TASKRUN_FLAG = 1 << 9;
const SINGLE_ISSUER = 1 << 12;
const DEFER_TASKRUN = 1 << 13;
const FLAGS = CQSIZE | CLAMP | SUBMIT_ALL | TASKRUN_FLAG | SINGLE_ISSUER | DEFER_TASKRUN;

/** SINGLE_MMAP, NODROP, FAST_POLL, POLL_32BITS, EXT_ARG, CQE_SKIP. */
const FEATURES = 1 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 11;

const REGISTER_EVENTFD = 4;
const REGISTER_PROBE = 8;
const REGISTER_PBUF_RING = 22;
/** The kernel fills each buffer step by step (Linux 6.12). */
const PBUF_RING_INC = 2;

const OP_POLL_ADD = 6;
const OP_ASYNC_CANCEL = 14;
export const OP_CLOSE = 19;
const OP_SEND = 26;
const OP_RECV = 27;
const OPERATIONS = [OP_POLL_ADD, OP_ASYNC_CANCEL, OP_CLOSE, OP_SEND, OP_RECV];

const BUFFER_SELECT = 1 << 5;
const CQE_SKIP_SUCCESS = 1 << 6;
const RECV_MULTISHOT = 1 << 1;
const POLL_MULTI = 1;
const MSG_DONTWAIT = 0x40;
/** Less than everything is a failure, so that it completes. */
const MSG_WAITALL = 0x100;
const MSG_NOSIGNAL = 0x4000;
const SEND_FLAGS = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;

const ENTER_GETEVENTS = 1;
const ENTER_EXT_ARG = 1 << 3;
const SQ_CQ_OVERFLOW = 1 << 1;
const SQ_TASKRUN = 1 << 2;
const CQ_EVENTFD_DISABLED = 1;

const OFFSET_OF_REQUESTS = 0x1000_0000n;
const PROT_READ_WRITE = 3;
const MAP_SHARED_POPULATE = 0x1 | 0x8000;

/** Where parameters and the probe lie. */
const PARAMETERS = WAKE.start;
const PROBE_OPERATIONS = 48;

/** Where a structure io_uring_getevents_arg lies, and behind it the time to wait. */
const WAIT = WAKE.start + 768;
const WAIT_BYTES = 24;
const WAIT_SIZE = BigInt(WAIT_BYTES);

/** Size of a request. */
export const REQUEST_BYTES = 64;
const REQUEST_WORDS = 16;

/** What remains of a ring when its thread has ended. */
export interface RingRemains {
  readonly descriptor: number;
  /** Addresses and sizes of its two mappings. */
  readonly rings: bigint;
  readonly ringsBytes: number;
  readonly requests: bigint;
  readonly requestsBytes: number;
  /** Where, in the first one, head and tail of the requests lie. */
  readonly head: number;
  readonly tail: number;
}

/** The ring of one thread. Owned by its loop, and open for as long as the thread lasts. */
export class Ring implements UringCalls {
  readonly remains: RingRemains;
  /** Words of the completions, and where the first one begins. */
  readonly completions: Int32Array<ArrayBuffer>;
  readonly firstCompletion: number;
  readonly #arena: Arena;
  readonly #call: RingCall;
  readonly #errno: Int32Array<ArrayBuffer>;
  readonly #descriptor: number;
  readonly #wait: number;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #requests: Int32Array<ArrayBuffer>;
  readonly #mask: number;
  readonly #completionMask: number;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #sqFlags: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqFlags: number;
  #tail = 0;
  #head = 0;

  /**
   * Sets it up.
   *
   * @throws {Error} If the system does not allow it, or lacks what it needs.
   */
  constructor(library: CLibrary, arena: Arena) {
    this.#arena = arena;
    const call = this.#call = ringCall();
    const place = library.__errno_location() as Deno.PointerObject;
    this.#errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(place, 4));
    arena.bytes.fill(0, WAKE.start, WAKE.start + WAKE.bytes);
    arena.put(PARAMETERS + 4, COMPLETIONS);
    arena.put(PARAMETERS + 8, FLAGS);
    arena.put(WAIT + 16, arena.address + WAIT + WAIT_BYTES);
    this.#wait = arena.address + WAIT;
    this.#descriptor = call(SETUP, REQUESTS, arena.address + PARAMETERS, 0, 0, 0, 0n);
    if (this.#descriptor < 0) {
      throw new Error(refusal(this.#errno[0]));
    }
    const parameter = (offset: number) => arena.words[(PARAMETERS + offset) >> 2];
    const [entries, completionEntries, features] = [parameter(0), parameter(4), parameter(20)];
    const [array, completions] = [parameter(64), parameter(100)];
    const ringsBytes = Math.max(array + entries * 4, completions + completionEntries * 16);
    const requestsBytes = entries * REQUEST_WORDS * 4;
    const offsets = { head: parameter(40), tail: parameter(44), flags: parameter(56) };
    const cqOffsets = { head: parameter(80), tail: parameter(84), flags: parameter(104) };
    try {
      if ((features & FEATURES) !== FEATURES) throw new Error("the kernel's io_uring is too old");
      this.#probe(arena);
      const rings = this.#map(library, ringsBytes, 0n);
      const requests = this.#map(library, requestsBytes, OFFSET_OF_REQUESTS);
      this.#words = view(rings, ringsBytes);
      this.#requests = view(requests, requestsBytes);
      this.remains = {
        descriptor: this.#descriptor,
        rings,
        ringsBytes,
        requests,
        requestsBytes,
        head: offsets.head,
        tail: offsets.tail,
      };
    } catch (error) {
      library.close(this.#descriptor);
      throw error;
    }
    this.#mask = entries - 1;
    this.#completionMask = completionEntries - 1;
    this.completions = this.#words;
    this.firstCompletion = completions >> 2;
    this.#sqHead = offsets.head >> 2;
    this.#sqTail = offsets.tail >> 2;
    this.#sqFlags = offsets.flags >> 2;
    this.#cqHead = cqOffsets.head >> 2;
    this.#cqTail = cqOffsets.tail >> 2;
    this.#cqFlags = cqOffsets.flags >> 2;
    for (let i = 0; i < entries; i++) this.#words[(array >> 2) + i] = i;
  }

  /**
   * Registers what wakes the loop.
   *
   * @throws {Error} If the kernel does not take it.
   */
  registerEventfd(arena: Arena, eventfd: number): void {
    if (this.#register(REGISTER_EVENTFD, arena.put(PARAMETERS, eventfd), 1) < 0) {
      throw new Error("the kernel's io_uring adds to no eventfd");
    }
  }

  /**
   * Registers the list of receive buffers, which is all zeros.
   *
   * @param whole Whether the kernel is not to fill buffers step by step, though it can.
   * @returns Whether the kernel fills each step by step.
   * @throws {Error} If the kernel does not take it.
   */
  registerBuffers(arena: Arena, whole: boolean): boolean {
    arena.bytes.fill(0, BUFFER_RING.start, BUFFER_RING.start + BUFFER_RING.bytes);
    for (const filled of whole ? [false] : [true, false]) {
      arena.bytes.fill(0, PARAMETERS, PARAMETERS + 40);
      arena.put(PARAMETERS, arena.address + BUFFER_RING.start);
      arena.put(PARAMETERS + 8, filled ? BUFFER_COUNTS.filled : BUFFER_COUNTS.whole);
      arena.put(PARAMETERS + 12, filled ? PBUF_RING_INC << 16 : 0);
      if (this.#register(REGISTER_PBUF_RING, arena.address + PARAMETERS, 1) >= 0) return filled;
    }
    throw new Error("the kernel's io_uring takes no buffers");
  }

  get pending(): boolean {
    return this.#tail !== this.#words[this.#sqHead] || (this.#words[this.#sqFlags] & SQ_CQ_OVERFLOW) !== 0;
  }

  receive(descriptor: number, low: number, high: number): void {
    this.#put(OP_RECV | BUFFER_SELECT << 8 | RECV_MULTISHOT << 16, descriptor, 0, 0, 0, low, high);
  }

  send(descriptor: number, address: number, bytes: number, low: number, high: number): number {
    this.#put(OP_SEND | CQE_SKIP_SUCCESS << 8, descriptor, address, bytes, SEND_FLAGS, low, high);
    return this.#tail;
  }

  lengthen(send: number, bytes: number): boolean {
    // The kernel has not seen it.
    if (((send - 1 - this.#words[this.#sqHead]) | 0) < 0) return false;
    this.#requests[((send - 1) & this.#mask) * REQUEST_WORDS + 6] = bytes;
    return true;
  }

  poll(descriptor: number, events: number, multishot: boolean, low: number, high: number): void {
    this.#put(OP_POLL_ADD, descriptor, 0, multishot ? POLL_MULTI : 0, events, low, high);
  }

  cancel(low: number, high: number): void {
    this.#put(OP_ASYNC_CANCEL | CQE_SKIP_SUCCESS << 8, -1, low, 0, 0, 0, 0, high);
  }

  close(descriptor: number): void {
    this.#put(OP_CLOSE | CQE_SKIP_SUCCESS << 8, descriptor, 0, 0, 0, 0, 0);
  }

  enter(waitUs: number): number {
    const count = this.#tail - this.#words[this.#sqHead] | 0;
    if (waitUs > 0) this.#arena.put(WAIT + WAIT_BYTES + 8, waitUs * 1000);
    const result = waitUs > 0
      ? this.#call(ENTER, this.#descriptor, count, 1, ENTER_GETEVENTS | ENTER_EXT_ARG, this.#wait, WAIT_SIZE)
      : this.#call(ENTER, this.#descriptor, count, 0, ENTER_GETEVENTS, 0, 0n);
    return result < 0 ? -this.#errno[0] : result;
  }

  available(): number {
    return this.#words[this.#cqTail] - this.#head | 0;
  }

  completion(before: number): number {
    return this.firstCompletion + (this.#head + before & this.#completionMask) * 4;
  }

  taken(): void {
    this.#head = this.#head + 1 | 0;
    this.#words[this.#cqHead] = this.#head;
  }

  silence(): void {
    this.#words[this.#cqFlags] = CQ_EVENTFD_DISABLED;
  }

  listen(): boolean {
    // The order matters: what comes in between must be seen here, or wake the loop.
    Atomics.store(this.#words, this.#cqFlags, 0);
    return (Atomics.load(this.#words, this.#sqFlags) & (SQ_TASKRUN | SQ_CQ_OVERFLOW)) === 0 && this.available() === 0;
  }

  #put(
    operation: number,
    descriptor: number,
    address: number,
    length: number,
    flags: number,
    low: number,
    high: number,
    addressHigh = 0,
  ): void {
    if (this.#tail - this.#words[this.#sqHead] > this.#mask) this.#makeRoom();
    const requests = this.#requests;
    const at = (this.#tail & this.#mask) * REQUEST_WORDS;
    requests[at] = operation;
    requests[at + 1] = descriptor;
    requests[at + 2] = 0;
    requests[at + 3] = 0;
    requests[at + 4] = address;
    requests[at + 5] = addressHigh;
    requests[at + 6] = length;
    requests[at + 7] = flags;
    requests[at + 8] = low;
    requests[at + 9] = high;
    requests[at + 10] = 0;
    requests[at + 11] = 0;
    requests[at + 12] = 0;
    requests[at + 13] = 0;
    requests[at + 14] = 0;
    requests[at + 15] = 0;
    this.#tail = this.#tail + 1 | 0;
    this.#words[this.#sqTail] = this.#tail;
  }

  #makeRoom(): void {
    for (let tries = 0; tries < 10; tries++) if (this.enter(0) > 0) return;
    throw new Error("the kernel's io_uring takes no more requests");
  }

  #register(what: number, address: number, count: number): number {
    return this.#call(REGISTER, this.#descriptor, what, address, count, 0, 0n);
  }

  #probe(arena: Arena): void {
    const start = PARAMETERS + 128;
    const found = this.#register(REGISTER_PROBE, arena.address + start, PROBE_OPERATIONS) >= 0 &&
      OPERATIONS.every((operation) => (arena.bytes[start + 16 + operation * 8 + 2] & 1) === 1);
    if (!found) throw new Error("the kernel's io_uring lacks operations of sockets");
  }

  #map(library: CLibrary, bytes: number, offset: bigint): bigint {
    const address = BigInt(
      library.mmap(0n, BigInt(bytes), PROT_READ_WRITE, MAP_SHARED_POPULATE, this.#descriptor, offset),
    );
    if (address >= 0xffff_ffff_ffff_f000n) throw new Error("the rings of io_uring could not be mapped");
    return address;
  }
}

function refusal(errno: number): string {
  if (errno === EINVAL) return "the kernel's io_uring is too old";
  return `the system allows no io_uring: ${(systemError(errno) as Error & { code?: string }).code ?? errno}`;
}

function view(address: bigint, bytes: number): Int32Array<ArrayBuffer> {
  const pointer = Deno.UnsafePointer.create(address) as Deno.PointerObject;
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(pointer, bytes));
}
