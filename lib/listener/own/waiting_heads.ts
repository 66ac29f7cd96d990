/**
 * Heads of responses that wait for the first piece of their body, so that both go out in one write. None is held back
 * for longer than a turn of the event loop.
 *
 * @module
 */

/** Something with a head that waits. */
export interface WaitingHead {
  /** Sends the head, if it still waits. */
  flushHead(): void;
}

/** The waiting heads of one listener. */
export class WaitingHeads {
  #heads: WaitingHead[] = [];
  #scheduled = false;

  /** Adds a head. */
  add(head: WaitingHead): void {
    this.#heads.push(head);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(this.#flush, 0);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const heads = this.#heads;
    this.#heads = [];
    for (const head of heads) head.flushHead();
  };
}
