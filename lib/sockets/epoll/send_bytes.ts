/**
 * Bytes of a socket given to the system: from where they lie in the arena, or by a copy of them in its memory for sending.
 *
 * @module
 */

import { type Arena, RECEIVED, SCRATCH } from "../linux/arena.ts";
import type { SystemCalls } from "../linux/system_calls.ts";
import { EAGAIN, EINTR } from "../linux/system_error.ts";

/** The loop of a socket. */
interface Sending {
  readonly calls: SystemCalls;
  readonly arena: Arena;
  sent: boolean;
}

/** Whether bytes lie in the arena, which belongs to nobody beyond a call, whatever a caller says. */
export function inArena({ arena }: Sending, bytes: Uint8Array<ArrayBuffer>): boolean {
  return bytes.buffer === arena.buffer;
}

/** Whether bytes lie where they were received. */
export function wasReceived(sending: Sending, bytes: Uint8Array<ArrayBuffer>): boolean {
  return inArena(sending, bytes) && bytes.byteOffset >= RECEIVED.start && bytes.byteOffset < SCRATCH.start;
}

/**
 * Sends what the system takes.
 *
 * @returns The number of bytes, or the negative number of an error that has broken the connection.
 */
export function sendBytes(sending: Sending, descriptor: number, bytes: Uint8Array<ArrayBuffer>, more: boolean): number {
  const { calls, arena } = sending;
  const { length } = bytes;
  sending.sent = true;
  const copied = !inArena(sending, bytes);
  let sent = 0;
  while (sent < length) {
    let count = length - sent;
    let address = arena.address + bytes.byteOffset + sent;
    if (copied) {
      if (count > SCRATCH.bytes) count = SCRATCH.bytes;
      arena.bytes.set(count === length ? bytes : bytes.subarray(sent, sent + count), SCRATCH.start);
      address = arena.address + SCRATCH.start;
    }
    const result = calls.send(descriptor, address, count, more);
    if (result > 0) sent += result;
    else if (result === -EAGAIN) return sent;
    else if (result !== -EINTR) return result;
  }
  return sent;
}

/**
 * Sends `front`, which is small and not in the arena, and behind it `received`, which lies where it was received, by one
 * call.
 *
 * @returns The number of bytes of both, or the negative number of an error, EAGAIN and EINTR among them.
 */
export function sendBoth(
  sending: Sending,
  descriptor: number,
  front: Uint8Array<ArrayBuffer>,
  received: Uint8Array<ArrayBuffer>,
): number {
  const { calls, arena } = sending;
  const { address, bytes } = arena;
  sending.sent = true;
  bytes.set(front, SCRATCH.start);
  return calls.sendBoth(
    descriptor,
    address + SCRATCH.start,
    front.length,
    address + received.byteOffset,
    received.length,
  );
}
