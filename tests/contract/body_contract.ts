/**
 * What holds a body, and a filter in its way, to the contract: a source whose lent pieces are overwritten as soon as they
 * may be, a sink that empties what it was given, and three filters as features make them.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type BodySink, type BodySource, keep, type Ownership, stillHeld } from "../../lib/http/body.ts";
import { joined } from "../../lib/http/body_reader.ts";

/** Passes a body on with pieces of one ownership, and makes what is done with them too late, or wrongly, show. */
export class StrictSource implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #ownership: Ownership;
  #sink: BodySink | undefined;
  readonly #shared: { bytes: Uint8Array<ArrayBuffer>; copy: Uint8Array<ArrayBuffer> }[] = [];
  #pulled = false;
  #over = false;

  constructor(source: BodySource, ownership: Ownership) {
    this.#source = source;
    this.#ownership = ownership;
  }

  start(sink: BodySink): void {
    assertEquals(this.#sink, undefined, "started twice");
    this.#sink = sink;
    this.#source.start(this);
  }

  pull(): void {
    assert(!this.#pulled, "pulled while a piece was awaited");
    if (this.#over) return;
    this.#pulled = true;
    this.#source.pull();
  }

  cancel(reason: unknown): void {
    this.#over = true;
    this.#source.cancel(reason);
  }

  piece(bytes: Uint8Array<ArrayBuffer>): void {
    assert(this.#pulled && !this.#over, "a piece came that was not pulled");
    assert(bytes.length > 0, "an empty piece");
    this.#pulled = false;
    const passed = bytes.slice();
    if (this.#ownership === "shared") this.#shared.push({ bytes: passed, copy: passed.slice() });
    this.#sink?.piece(passed, this.#ownership);
    if (this.#ownership !== "lent") return;
    // The sink has returned: a later reader gets other bytes, or none.
    passed.fill(0xee);
    passed.buffer.transfer(0);
  }

  end(): void {
    assert(!this.#over, "ended twice");
    this.#over = true;
    this.#sink?.end();
  }

  fail(reason: unknown): void {
    assert(!this.#over, "failed after its end");
    this.#over = true;
    this.#sink?.fail(reason);
  }

  /** Fails if somebody changed or emptied what is shared. */
  verify(): void {
    for (const { bytes, copy } of this.#shared) assertEquals(bytes, copy, "a shared piece was changed");
  }
}

/** Takes a body as the adapter does: what is given is emptied once it is taken. */
export class StrictSink implements BodySink {
  readonly #source: BodySource;
  readonly #whole = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  readonly #taken: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  constructor(source: BodySource) {
    this.#source = source;
    source.start(this);
    source.pull();
  }

  /** All that came. Rejects with what the body failed with. */
  get whole(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#whole.promise;
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    assert(bytes.length > 0, "an empty piece");
    this.#taken.push(bytes.slice());
    this.#bytes += bytes.length;
    if (ownership === "given") bytes.buffer.transfer(0);
    this.#source.pull();
  }

  end(): void {
    this.#whole.resolve(joined(this.#taken, this.#bytes));
  }

  fail(reason: unknown): void {
    this.#whole.reject(reason);
  }
}

/** A filter of the tests, which can tell what it holds. */
export interface TestFilter extends BodySource {
  /** What it has kept of the body; undefined for one that keeps nothing. */
  readonly kept: Uint8Array<ArrayBuffer> | undefined;
}

abstract class PassingFilter implements TestFilter, BodySink {
  protected readonly source: BodySource;
  protected sink: BodySink | undefined;

  constructor(source: BodySource) {
    this.source = source;
  }

  get kept(): Uint8Array<ArrayBuffer> | undefined {
    return undefined;
  }

  start(sink: BodySink): void {
    this.sink = sink;
    this.source.start(this);
  }

  pull(): void {
    this.source.pull();
  }

  cancel(reason: unknown): void {
    this.source.cancel(reason);
  }

  abstract piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void;

  end(): void {
    this.sink?.end();
  }

  fail(reason: unknown): void {
    this.sink?.fail(reason);
  }
}

/** Keeps every piece, as a cache does that stores a response while it is sent. */
class KeepingFilter extends PassingFilter {
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];

  override get kept(): Uint8Array<ArrayBuffer> {
    return joined(this.#kept, this.#kept.reduce((sum, { length }) => sum + length, 0));
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#kept.push(keep(bytes, ownership));
    this.sink?.piece(bytes, stillHeld(ownership));
  }
}

/** Passes each piece on in parts, one for each pull. */
class SplittingFilter extends PassingFilter {
  #rest = new Uint8Array(0);
  #ended = false;

  override pull(): void {
    if (this.#rest.length > 0) this.#pass();
    else if (this.#ended) this.sink?.end();
    else this.source.pull();
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#rest = keep(bytes, ownership);
    this.#pass();
  }

  override end(): void {
    // The source may end right behind its last piece, of which parts are still to be passed on.
    if (this.#rest.length > 0) this.#ended = true;
    else this.sink?.end();
  }

  #pass(): void {
    const part = this.#rest.subarray(0, PART_BYTES);
    this.#rest = this.#rest.subarray(PART_BYTES);
    this.sink?.piece(part, "shared");
  }
}

/** Holds pieces back until it has four, as a compressor does, and passes them on one for each pull. */
class DelayingFilter extends PassingFilter {
  readonly #held: { bytes: Uint8Array<ArrayBuffer>; ownership: Ownership }[] = [];
  /** Whether the sink waits for a piece. */
  #wanted = false;
  #ended = false;

  override pull(): void {
    this.#wanted = true;
    this.#pass();
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    // Its own from now on: a copy, where it was lent.
    this.#held.push({ bytes: keep(bytes, ownership), ownership: ownership === "lent" ? "given" : ownership });
    this.#pass();
  }

  override end(): void {
    this.#ended = true;
    if (this.#wanted) this.#pass();
  }

  #pass(): void {
    const next = this.#ended || this.#held.length >= 4 ? this.#held.shift() : undefined;
    if (next === undefined && !this.#ended) return this.source.pull();
    this.#wanted = false;
    if (next === undefined) this.sink?.end();
    else this.sink?.piece(next.bytes, next.ownership);
  }
}

/** The filters, by what they do. */
export const FILTERS: Readonly<Record<string, (source: BodySource) => TestFilter>> = {
  "keeps pieces": (source) => new KeepingFilter(source),
  "splits pieces": (source) => new SplittingFilter(source),
  "delays pieces": (source) => new DelayingFilter(source),
};

/** Every ownership. */
export const OWNERSHIPS: readonly Ownership[] = ["lent", "shared", "given"];

/** Longest part that the splitting filter passes on. */
const PART_BYTES = 5000;
