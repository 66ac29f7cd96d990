/**
 * State and metrics in shared memory. The supervisor allots fields, its workers look them up: the supervisor builds
 * each generation first, so that all fields of a worker are allotted already.
 *
 * @module
 */

import type { SharedState } from "./shared_state.ts";
import type { WorkerPlace } from "./worker_place.ts";

/** The buffers and the places of all fields; can be posted to a worker. */
export interface SharedStateTable {
  readonly buffers: readonly SharedArrayBuffer[];
  /** By name: index of the buffer, first byte, number of fields. */
  readonly places: ReadonlyMap<string, readonly [buffer: number, byteOffset: number, count: number]>;
}

/** Bytes of a buffer; more are made when it is full. 1 MiB is the state of about 3,000 upstreams in 8 workers. */
const BUFFER_BYTES = 1024 * 1024;

/** State and metrics that all workers see. */
export class SharedMemoryState implements SharedState {
  readonly #worker: WorkerPlace;
  readonly #buffers: SharedArrayBuffer[];
  /** The same, for metrics: one view of each. */
  readonly #numbers: Float64Array[] = [];
  readonly #places: Map<string, readonly [number, number, number]>;
  readonly #allots: boolean;
  #freeAt = 0;

  /**
   * @param worker This worker among all that share it.
   * @param table What the supervisor has allotted; without it, this is the supervisor.
   */
  constructor(worker: WorkerPlace, table?: SharedStateTable) {
    this.#worker = worker;
    this.#allots = table === undefined;
    this.#buffers = [...table?.buffers ?? []];
    this.#places = new Map(table?.places);
  }

  /** The table for workers. */
  get table(): SharedStateTable {
    return { buffers: this.#buffers, places: this.#places };
  }

  /** Takes over the supervisor's newer table. */
  learn(table: SharedStateTable): void {
    this.#buffers.splice(0, this.#buffers.length, ...table.buffers);
    this.#numbers.length = 0;
    for (const [name, place] of table.places) this.#places.set(name, place);
  }

  /**
   * The fields called `name`.
   *
   * @throws {Error} When a worker asks for fields that the supervisor has not allotted.
   */
  take(count: number, name: string): Int32Array {
    const [buffer, offset] = this.#place(`fields ${name}`, count, 4 * count);
    return new Int32Array(this.#buffers[buffer], offset, count);
  }

  /** The fields of metrics called `name`: this worker's own, and those of all. Throws as {@linkcode take} does. */
  takeMetricFields(
    count: number,
    name: string,
  ): { own: Float64Array; all: Float64Array[]; memory: Float64Array; at: number } {
    const [buffer, offset] = this.#place(`metrics ${name}`, count, 8 * count * this.#worker.count);
    const all = Array.from(
      { length: this.#worker.count },
      (_, index) => new Float64Array(this.#buffers[buffer], offset + 8 * count * index, count),
    );
    const own = all[this.#worker.index];
    const memory = this.#numbers[buffer] ??= new Float64Array(this.#buffers[buffer]);
    return { own, all, memory, at: own.byteOffset / 8 };
  }

  /** All fields whose name begins with `prefix`. */
  fieldsBelow(prefix: string): Int32Array[] {
    return [...this.#places].filter(([name]) => name.startsWith(`fields ${prefix}`))
      .map(([, [buffer, offset, count]]) => new Int32Array(this.#buffers[buffer], offset, count));
  }

  /** Forgets names of fields. Their memory is not freed: few upstreams come and go under new names. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#places.keys()) {
      if (name.startsWith("fields ") && !names.has(name.slice("fields ".length))) this.#places.delete(name);
    }
  }

  #place(name: string, count: number, bytes: number): readonly [number, number, number] {
    const known = this.#places.get(name);
    if (known !== undefined && known[2] === count) return known;
    if (!this.#allots) throw new Error(`Cannot share "${name}": the supervisor has not allotted ${count} of it`);
    const place = [...this.#allot(bytes), count] as const;
    this.#places.set(name, place);
    return place;
  }

  #allot(bytes: number): readonly [buffer: number, byteOffset: number] {
    const size = Math.ceil(bytes / 8) * 8;
    const last = this.#buffers.at(-1);
    if (last === undefined || this.#freeAt + size > last.byteLength) {
      this.#buffers.push(new SharedArrayBuffer(Math.max(BUFFER_BYTES, size)));
      this.#freeAt = 0;
    }
    const offset = this.#freeAt;
    this.#freeAt += size;
    return [this.#buffers.length - 1, offset];
  }
}
