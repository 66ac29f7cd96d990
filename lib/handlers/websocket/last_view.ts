/**
 * The last view of received bytes. Drivers that read into one place of their own memory give the same range again and
 * again where messages have one size; a new view costs more than the scan of a small message.
 *
 * @module
 */

/** Gives views, and the last one again where it fits. One for each thread and direction. */
export class LastView {
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #from = 0;
  #to = 0;
  #view: Uint8Array<ArrayBuffer> | undefined;

  /** `bytes[from … to)`. */
  of(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): Uint8Array<ArrayBuffer> {
    if (this.#view !== undefined && bytes === this.#bytes && from === this.#from && to === this.#to) return this.#view;
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
    return this.#view = bytes.subarray(from, to);
  }
}
