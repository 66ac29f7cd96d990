/**
 * A ring with faults: requests go to the kernel, unless a fault decides otherwise.
 *
 * @module
 */

import type { Arena } from "../../lib/sockets/linux/arena.ts";
import { cLibrary } from "../../lib/sockets/linux/c_library.ts";
import { EPOLLIN } from "../../lib/sockets/linux/socket_loop.ts";
import { LinuxCalls, type SystemCalls } from "../../lib/sockets/linux/system_calls.ts";
import { BUFFER_RING, type ReceiveBuffers } from "../../lib/sockets/uring/memory.ts";
import { BUFFER_MORE, type UringCalls } from "../../lib/sockets/uring/uring_calls.ts";

/** Requests that can fail. */
export type RequestName = "receive" | "send" | "poll";

/** What becomes of a request of that name: the negative number of an error, or undefined for the request itself. */
export type RequestFault = (name: RequestName, descriptor: number) => number | undefined;

/** Requests that can fail. */
export class FaultyUring implements UringCalls {
  /** Decides what becomes of each request. */
  fault: RequestFault | undefined;
  /** Decides whether the kernel is not entered, as if it had nothing and took nothing. */
  skipped: (() => boolean) | undefined;
  readonly completions: Int32Array<ArrayBuffer>;
  /** How many completions named a buffer that the kernel goes on to fill. */
  steps = 0;
  /** Is always ready. */
  readonly #ready = cLibrary().eventfd(1, 0);
  readonly #results = new Map<string, number>();
  readonly #calls: SystemCalls;
  #mostBytes = Infinity;

  constructor(
    private readonly ring: UringCalls,
    private readonly buffers: ReceiveBuffers,
    private readonly arena: Arena,
    private readonly closed: (descriptor: number) => void,
  ) {
    this.completions = ring.completions;
    this.#calls = new LinuxCalls(cLibrary(), arena);
  }

  /** Takes all faults out. */
  clear(): void {
    this.fault = undefined;
    this.skipped = undefined;
    this.mostBytes = Infinity;
  }

  /** Most bytes that one request sends, and that one completion brings. */
  set mostBytes(bytes: number) {
    this.#mostBytes = bytes;
    const { buffers, arena: { words } } = this;
    buffers.length = Math.min(bytes, buffers.bytes);
    // Those that are the kernel's already too: it looks at the length when it takes one. A buffer that is filled step by step
    // has less room than it had.
    for (let i = 0; i < buffers.count; i++) {
      const at = (BUFFER_RING.start >> 2) + i * 4 + 2;
      words[at] = Math.min(words[at], buffers.length);
    }
  }

  get pending(): boolean {
    return this.ring.pending;
  }

  receive(descriptor: number, low: number, high: number): void {
    if (!this.#fails("receive", descriptor, low, high)) this.ring.receive(descriptor, low, high);
  }

  send(descriptor: number, address: number, bytes: number, low: number, high: number): number {
    if (this.#fails("send", descriptor, low, high)) return -1;
    if (bytes <= this.#mostBytes) return this.ring.send(descriptor, address, bytes, low, high);
    // A send that does less than it should completes with what it did.
    this.#completes(low, high, this.#calls.send(descriptor, address, this.#mostBytes, false));
    return -1;
  }

  lengthen(send: number, bytes: number): boolean {
    return send !== -1 && this.#mostBytes === Infinity && this.ring.lengthen(send, bytes);
  }

  poll(descriptor: number, events: number, multishot: boolean, low: number, high: number): void {
    if (!this.#fails("poll", descriptor, low, high)) this.ring.poll(descriptor, events, multishot, low, high);
  }

  cancel(low: number, high: number): void {
    this.ring.cancel(low, high);
  }

  close(descriptor: number): void {
    this.closed(descriptor);
    this.ring.close(descriptor);
  }

  enter(waitUs: number): number {
    return this.skipped?.() === true ? 0 : this.ring.enter(waitUs);
  }

  available(): number {
    return this.ring.available();
  }

  completion(before: number): number {
    const at = this.ring.completion(before);
    const key = `${this.completions[at]} ${this.completions[at + 1]}`;
    const result = this.#results.get(key);
    if (result === undefined) return at;
    this.#results.delete(key);
    this.completions[at + 2] = result;
    this.completions[at + 3] = 0;
    return at;
  }

  taken(): void {
    if ((this.completions[this.ring.completion(0) + 3] & BUFFER_MORE) !== 0) this.steps++;
    this.ring.taken();
  }

  silence(): void {
    this.ring.silence();
  }

  listen(): boolean {
    return this.ring.listen();
  }

  // In place of the request there is one that completes at once, whose result is exchanged.
  #fails(name: RequestName, descriptor: number, low: number, high: number): boolean {
    const result = this.fault?.(name, descriptor);
    if (result === undefined) return false;
    this.#completes(low, high, result);
    return true;
  }

  #completes(low: number, high: number, result: number): void {
    this.#results.set(`${low} ${high}`, result);
    this.ring.poll(this.#ready, EPOLLIN, false, low, high);
  }
}
