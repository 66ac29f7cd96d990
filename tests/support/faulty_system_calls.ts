/**
 * System calls with faults: those of the system, unless a fault decides otherwise.
 *
 * @module
 */

import { type EpollCalls, EVENT_DATA_WORD } from "../../lib/sockets/epoll/epoll_calls.ts";
import { type Arena, ARGUMENTS } from "../../lib/sockets/linux/arena.ts";
import { cLibrary } from "../../lib/sockets/linux/c_library.ts";
import type { SystemCalls } from "../../lib/sockets/linux/system_calls.ts";

/** Name of a system call. */
export type CallName = keyof EpollCalls;

/** What becomes of a call of that name: the negative number of an error, or undefined for the call itself. */
export type Fault = (name: CallName, descriptor: number) => number | undefined;

const EPOLL_CTL_MOD = 3;
/** A place in the arena that the driver does not use. */
const EVENT = ARGUMENTS.start + 800;

/** System calls that can fail. */
export class FaultySystemCalls implements EpollCalls {
  /** Decides what becomes of each call. */
  fault: Fault | undefined;
  /** Most bytes that one call receives or sends. */
  mostBytes = Infinity;
  /** Descriptors of sockets that were opened or accepted, and not closed. */
  readonly #sockets = new Set<number>();
  readonly #calls: SystemCalls & Partial<EpollCalls>;
  readonly #arena: Arena;
  /** Arguments of the last `watch` of each descriptor. */
  readonly #watches = new Map<number, readonly [number, number, number, number]>();

  /** Calls of a driver without epoll have neither `watch` nor `wait`. */
  constructor(calls: SystemCalls & Partial<EpollCalls>, arena: Arena) {
    this.#calls = calls;
    this.#arena = arena;
  }

  /** Takes all faults out. */
  clear(): void {
    this.fault = undefined;
    this.mostBytes = Infinity;
  }

  /** How many sockets are open. The count is this thread's: /proc has those of all threads. */
  get sockets(): number {
    return this.#sockets.size;
  }

  socket(family: number): number {
    return this.#opened(this.fault?.("socket", -1) ?? this.#calls.socket(family));
  }

  bind(descriptor: number, address: number, bytes: number): number {
    return this.fault?.("bind", descriptor) ?? this.#calls.bind(descriptor, address, bytes);
  }

  listen(descriptor: number, backlog: number): number {
    return this.fault?.("listen", descriptor) ?? this.#calls.listen(descriptor, backlog);
  }

  connect(descriptor: number, address: number, bytes: number): number {
    return this.fault?.("connect", descriptor) ?? this.#calls.connect(descriptor, address, bytes);
  }

  accept(descriptor: number, address: number, bytesAddress: number): number {
    return this.#opened(
      this.#again(descriptor, this.fault?.("accept", descriptor)) ??
        this.#calls.accept(descriptor, address, bytesAddress),
    );
  }

  setOption(descriptor: number, level: number, option: number, value: number): number {
    return this.fault?.("setOption", descriptor) ?? this.#calls.setOption(descriptor, level, option, value);
  }

  setReset(descriptor: number): number {
    return this.fault?.("setReset", descriptor) ?? this.#calls.setReset(descriptor);
  }

  getOption(descriptor: number, level: number, option: number): number {
    return this.fault?.("getOption", descriptor) ?? this.#calls.getOption(descriptor, level, option);
  }

  localAddress(descriptor: number, address: number, bytesAddress: number): number {
    return this.fault?.("localAddress", descriptor) ?? this.#calls.localAddress(descriptor, address, bytesAddress);
  }

  receive(descriptor: number, address: number, bytes: number): number {
    const failed = this.#again(descriptor, this.fault?.("receive", descriptor));
    if (failed !== undefined) return failed;
    const most = Math.min(bytes, this.mostBytes);
    const count = this.#calls.receive(descriptor, address, most);
    // As if the rest had arrived later.
    if (count === most && most < bytes) this.#tellAgain(descriptor);
    return count;
  }

  peek(descriptor: number, address: number): number {
    return this.fault?.("peek", descriptor) ?? this.#calls.peek(descriptor, address);
  }

  send(descriptor: number, address: number, bytes: number, more: boolean): number {
    return this.#again(descriptor, this.fault?.("send", descriptor)) ??
      this.#calls.send(descriptor, address, Math.min(bytes, this.mostBytes), more);
  }

  sendBoth(descriptor: number, address: number, bytes: number, behindAddress: number, behindBytes: number): number {
    const failed = this.#again(descriptor, this.fault?.("sendBoth", descriptor));
    if (failed !== undefined) return failed;
    const most = Math.min(this.mostBytes, bytes + behindBytes);
    return most <= bytes
      ? this.#calls.send(descriptor, address, most, false)
      : this.#calls.sendBoth(descriptor, address, bytes, behindAddress, most - bytes);
  }

  sendFile(descriptor: number, file: number, offset: number, bytes: number): number {
    return this.#again(descriptor, this.fault?.("sendFile", descriptor)) ??
      this.#calls.sendFile(descriptor, file, offset, Math.min(bytes, this.mostBytes));
  }

  shutdown(descriptor: number): number {
    return this.fault?.("shutdown", descriptor) ?? this.#calls.shutdown(descriptor);
  }

  close(descriptor: number): number {
    this.#watches.delete(descriptor);
    const result = this.#calls.close(descriptor);
    if (result === 0) this.#sockets.delete(descriptor);
    return result;
  }

  /** A descriptor is closed without a call. */
  forget(descriptor: number): void {
    this.#sockets.delete(descriptor);
  }

  watch(epoll: number, descriptor: number, events: number, low: number, high: number): number {
    const failed = this.fault?.("watch", descriptor);
    if (failed !== undefined) return failed;
    this.#watches.set(descriptor, [epoll, events, low, high]);
    return this.#calls.watch?.(epoll, descriptor, events, low, high) ?? 0;
  }

  rewatch(epoll: number, descriptor: number, events: number, low: number, high: number): number {
    return this.#calls.rewatch?.(epoll, descriptor, events, low, high) ?? 0;
  }

  wait(epoll: number, address: number, count: number): number {
    return this.fault?.("wait", epoll) ?? this.#calls.wait?.(epoll, address, count) ?? 0;
  }

  waitFor(epoll: number, address: number, count: number, timeoutUs: number): number {
    return this.fault?.("waitFor", epoll) ?? this.#calls.waitFor?.(epoll, address, count, timeoutUs) ?? 0;
  }

  #opened(descriptor: number): number {
    if (descriptor >= 0) this.#sockets.add(descriptor);
    return descriptor;
  }

  // The system reports an event after a call that would have blocked (EAGAIN is 11).
  #again(descriptor: number, failed: number | undefined): number | undefined {
    if (failed === -11) this.#tellAgain(descriptor);
    return failed;
  }

  #tellAgain(descriptor: number): void {
    const watch = this.#watches.get(descriptor);
    if (watch === undefined) return;
    const [epoll, events, low, high] = watch;
    this.#arena.put(EVENT, events);
    this.#arena.put(EVENT + 4 * EVENT_DATA_WORD, low);
    this.#arena.put(EVENT + 4 * EVENT_DATA_WORD + 4, high);
    cLibrary().epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, this.#arena.address + EVENT);
  }
}
