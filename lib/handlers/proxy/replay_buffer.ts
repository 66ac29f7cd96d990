/**
 * The pieces of a request body: those that are not sent yet and, while the body can be sent again, those that are. A lent
 * piece is copied only if it is still needed once its source is about to use the memory again: most are sent before, and
 * never again.
 *
 * @module
 */

import { type Ownership, release } from "../../http/body.ts";
import { joined } from "../../http/body_reader.ts";

/** The pieces of one body. Owned by its body. */
export class ReplayBuffer {
  #maxReplayBytes: number;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** Index of the first piece that this attempt has not sent. */
  #next = 0;
  /** Ownership of all pieces. */
  #ownership: Ownership = "given";
  /** The last piece, while it is lent, and whether this attempt has sent it. */
  #lent: Uint8Array<ArrayBuffer> | undefined;
  #lentTaken = false;
  #takenBytes = 0;
  #furthestBytes = 0;

  /** @param maxReplayBytes A body is no longer replayable once an attempt has taken more than this. */
  constructor(maxReplayBytes: number) {
    this.#maxReplayBytes = maxReplayBytes;
  }

  /** Number of pieces that this attempt has not sent. */
  get unsent(): number {
    return this.#pieces.length - this.#next + (this.#lent !== undefined && !this.#lentTaken ? 1 : 0);
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
    if (this.#lent !== undefined && this.#lentTaken) return "lent";
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

  /** Adds a piece from the client. {@linkcode keepLent} follows before a lent one becomes invalid. */
  add(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.keepLent();
    if (ownership === "lent") {
      this.#lent = bytes;
      this.#lentTaken = false;
      return;
    }
    if (ownership === "shared") this.#ownership = "shared";
    this.#pieces.push(bytes);
  }

  /** Copies the lent piece, if there is one that is not dropped. */
  keepLent(): void {
    const lent = this.#lent;
    if (lent === undefined) return;
    this.#lent = undefined;
    this.#pieces.push(lent.slice());
    if (this.#lentTaken) this.#next++;
  }

  /** Takes the unsent pieces, joined; undefined where there are none. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const lent = this.#lent;
    if (lent !== undefined && !this.#lentTaken) {
      if (this.#pieces.length === this.#next) {
        this.#lentTaken = true;
        this.#taken(lent.length);
        return lent;
      }
      this.keepLent();
    }
    const { unsent } = this;
    if (unsent === 0) return undefined;
    if (unsent > 1) this.#join();
    const batch = this.#pieces[this.#next++];
    this.#taken(batch.length);
    return batch;
  }

  /** What is sent is not sent again: the body is not replayable from now on. */
  forgo(): void {
    this.#maxReplayBytes = -1;
  }

  /** The pieces that were taken are written: a body that is not replayable drops them. */
  sent(): void {
    if (this.replayable) return;
    if (this.#lentTaken) this.#lent = undefined;
    if (this.#next === 0) return;
    // They are not released: the socket may not have sent them yet.
    this.#pieces.splice(0, this.#next);
    this.#next = 0;
  }

  /** Starts again at the first byte. Only for a body that is replayable, or of which nothing was sent. */
  rewind(): void {
    this.#next = 0;
    this.#lentTaken = false;
    this.#takenBytes = 0;
  }

  /** Drops all pieces. */
  clear(): void {
    this.#pieces = [];
    this.#lent = undefined;
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
