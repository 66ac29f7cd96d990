/**
 * The pieces of a request body: those that are not sent yet and, while the body can be sent again, those that are.
 *
 * @module
 */

import { keep, type Ownership, release } from "../../http/body.ts";
import { joined } from "../../http/body_reader.ts";

/** The pieces of one body. Owned by its body. */
export class ReplayBuffer {
  readonly #maxReplayBytes: number;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** Index of the first piece that this attempt has not sent. */
  #next = 0;
  /** Ownership of all pieces. */
  #ownership: Ownership = "given";
  #takenBytes = 0;
  #furthestBytes = 0;

  /** @param maxReplayBytes A body is no longer replayable once an attempt has taken more than this. */
  constructor(maxReplayBytes: number) {
    this.#maxReplayBytes = maxReplayBytes;
  }

  /** Number of pieces that this attempt has not sent. */
  get unsent(): number {
    return this.#pieces.length - this.#next;
  }

  /** Bytes that this attempt has taken. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** The most bytes that any attempt has taken. */
  get furthestBytes(): number {
    return this.#furthestBytes;
  }

  /** Whether the bytes that were taken can be sent again. */
  get replayable(): boolean {
    return this.#takenBytes <= this.#maxReplayBytes;
  }

  /** Who owns the batch taken last: its reader, unless it is kept to be sent again. */
  get batchOwnership(): Ownership {
    return this.replayable ? "shared" : this.#ownership;
  }

  /** Whether a piece of `bytes` that is sent now has to be kept. */
  keeps(bytes: number): boolean {
    return this.#takenBytes + bytes <= this.#maxReplayBytes;
  }

  /** Counts a piece that is sent as it came, without being kept. All kept pieces are dropped. */
  pass(bytes: number): void {
    this.#taken(bytes);
    this.sent();
  }

  /** Adds a piece from the client. */
  add(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    if (ownership === "shared") this.#ownership = "shared";
    this.#pieces.push(keep(bytes, ownership));
  }

  /** Takes the unsent pieces, joined; undefined where there are none. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const { unsent } = this;
    if (unsent === 0) return undefined;
    if (unsent > 1) this.#join();
    const batch = this.#pieces[this.#next++];
    this.#taken(batch.length);
    return batch;
  }

  /** The pieces that were taken are written: a body that is not replayable drops them. */
  sent(): void {
    if (this.replayable || this.#next === 0) return;
    // They are not released: the socket may not have sent them yet.
    this.#pieces.splice(0, this.#next);
    this.#next = 0;
  }

  /** Starts again at the first byte. Only for a body that is replayable, or of which nothing was sent. */
  rewind(): void {
    this.#next = 0;
    this.#takenBytes = 0;
  }

  /** Drops all pieces. */
  clear(): void {
    this.#pieces = [];
    this.#next = 0;
  }

  #taken(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes > this.#furthestBytes) this.#furthestBytes = this.#takenBytes;
  }

  #join(): void {
    const pieces = this.#pieces.splice(this.#next);
    let bytes = 0;
    for (const piece of pieces) bytes += piece.length;
    this.#pieces.push(joined(pieces, bytes));
    for (const piece of pieces) release(piece, this.#ownership);
  }
}
