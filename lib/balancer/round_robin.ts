/**
 * Round robin: the upstreams take turns in their order, whatever their weights.
 *
 * @module
 */

import { localCells } from "../state/cells.ts";
import { eligible } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/** Cell of the turn: one is added for every pick. */
const TURN = 0;
/** Cell of the spare turn: who stands in for an upstream that cannot take its turn. */
const SPARE = 1;

/**
 * Gives each upstream its turn: one atomic addition a pick. Policies over the same shared cells take one common round.
 *
 * The turn of an upstream that is not available goes to the others in turn, by a cursor of its own. If it went to the
 * next in order, the neighbour of a dead upstream would carry a double share. A pick with `avoid` (a retry) takes a spare
 * turn at once: if it moved the main turn, a pool of two with one failing upstream would try that one first every time.
 */
export class RoundRobin<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[];
  readonly #cells: Int32Array;

  /** Takes two cells. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#upstreams = [...upstreams];
    this.#cells = (options?.takeCells ?? localCells)(2);
  }

  /** The upstream whose turn it is, or one of the available others; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const upstreams = this.#upstreams;
    if (upstreams.length === 0) return undefined;
    if (avoid === undefined || avoid.length === 0) {
      const turn = Atomics.add(this.#cells, TURN, 1) >>> 0;
      const candidate = upstreams[turn % upstreams.length];
      if (candidate.available) return candidate;
    }
    return this.#pickSpare(avoid);
  }

  /** Replaces the upstreams; the round goes on from where it was. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
  }

  /** The first eligible upstream from the spare turn on, which then points behind it. */
  #pickSpare(avoid: readonly C[] | undefined): C | undefined {
    const upstreams = this.#upstreams;
    // Two workers may read the same turn. That costs a little evenness, never a wrong pick, and spares a loop of
    // compare-and-exchange.
    const spare = Atomics.load(this.#cells, SPARE) >>> 0;
    for (let step = 0; step < upstreams.length; step++) {
      const candidate = upstreams[(spare + step) % upstreams.length];
      if (!eligible(candidate, avoid)) continue;
      Atomics.add(this.#cells, SPARE, step + 1);
      return candidate;
    }
    return undefined;
  }
}
