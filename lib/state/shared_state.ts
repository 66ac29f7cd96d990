/**
 * State that balancing reads and that workers may share: plain `Int32Array` fields, read and written with `Atomics`
 * wherever workers share them, so the same code counts within one worker (over an `ArrayBuffer`) and across workers (over
 * a `SharedArrayBuffer`). Fields are allotted by name, and the same name gives the same fields again: so the state of an
 * upstream survives a reload, and workers that ask for the same names share them.
 *
 * @module
 */

/** Allots `count` fields, all zero. */
export type TakeFields = (count: number) => Int32Array;

/** Fields of this worker alone. */
export function localFields(count: number): Int32Array {
  return new Int32Array(count);
}

/** Whether other workers may read and write `fields`. */
export function isShared(fields: Int32Array): boolean {
  return fields.buffer instanceof SharedArrayBuffer;
}

/**
 * The value of a field.
 *
 * @param shared What {@linkcode isShared} returns. `Atomics` are calls even in compiled code, of about 20 ns each: fields of
 * this worker alone are read and written without them.
 */
export function fieldAt(fields: Int32Array, at: number, shared: boolean): number {
  return shared ? Atomics.load(fields, at) : fields[at];
}

/**
 * Adds to a field.
 *
 * @param shared As for {@linkcode fieldAt}.
 * @returns Its value before.
 */
export function addToField(fields: Int32Array, at: number, by: number, shared: boolean): number {
  if (shared) return Atomics.add(fields, at, by);
  const before = fields[at];
  fields[at] = before + by;
  return before;
}

/** Allots fields by name. */
export interface SharedState {
  /** The fields called `name`; all zero when they are new. */
  take(count: number, name: string): Int32Array;
  /** Forgets all names but these, once the others are no longer used. */
  retain(names: ReadonlySet<string>): void;
}

/** Fields of one worker. */
export class LocalState implements SharedState {
  readonly #fields = new Map<string, Int32Array>();

  /** The fields called `name`. */
  take(count: number, name: string): Int32Array {
    const known = this.#fields.get(name);
    if (known !== undefined && known.length === count) return known;
    const fields = new Int32Array(count);
    this.#fields.set(name, fields);
    return fields;
  }

  /** Forgets all names but these. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#fields.keys()) if (!names.has(name)) this.#fields.delete(name);
  }
}

/** Fields whose names begin with `prefix`: the first taken is `prefix.0`, the next `prefix.1`. */
export function fieldsWithin(sharedState: SharedState, prefix: string): TakeFields {
  let next = 0;
  return (count) => sharedState.take(count, `${prefix}.${next++}`);
}
