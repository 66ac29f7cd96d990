/**
 * Round robin: turns in proportion to the weights, spread out so that a heavy upstream gets no bursts, as in nginx.
 *
 * @module
 */

import { addToField, isShared, localFields } from "../../state/shared_state.ts";
import { drawByWeight, eligible } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";

/**
 * Most turns in a cycle, or 16 for each upstream where that is more. Weights whose cycle would be longer are scaled
 * down, each to 1 or more: the error is small, the layout is fast, and the cycle fits into the processor's cache.
 */
const MAX_CYCLE = 4096;
/** How many turns a substitute pick steps before it draws at random; keeps a pick short where few are available. */
const MAX_SPARE_STEPS = 64;

/** Field of the turn: one is added for every pick. */
const TURN = 0;
/** Field of the substitute turn: the cursor for turns of upstreams that are not available. */
const SPARE = 1;

/**
 * Gives turns by weight: the cycle is laid out when the upstreams are set, so that a pick is one atomic addition. With
 * equal weights the cycle is the upstreams in their order. Policies over the same shared fields take one common round.
 *
 * The turn of an upstream that is not available goes to the others by a cursor of its own, which walks the same cycle.
 * If it went to the next in order, the neighbour of an unavailable upstream would get a double share. A pick with
 * `avoid` (a retry) uses that cursor at once: if it moved the main turn, a pool of two with one failing upstream would
 * try that one first every time.
 */
export class RoundRobin<C extends Candidate> implements Policy<C> {
  #upstreams: readonly C[] = [];
  #cycle: readonly C[] = [];
  readonly #fields: Int32Array;
  readonly #shared: boolean;
  readonly #random: () => number;

  /** Takes two fields. */
  constructor(upstreams: readonly C[], options?: PolicyOptions) {
    this.#fields = (options?.takeFields ?? localFields)(2);
    this.#shared = isShared(this.#fields);
    this.#random = options?.random ?? Math.random;
    this.update(upstreams);
  }

  /** The upstream whose turn it is, or one of the available others by weight; undefined when there is none. */
  pick(_request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const cycle = this.#cycle;
    if (cycle.length === 0) return undefined;
    if (avoid === undefined || avoid.length === 0) {
      const turn = addToField(this.#fields, TURN, 1, this.#shared) >>> 0;
      const candidate = cycle[turn % cycle.length];
      if (candidate.available) return candidate;
    }
    return this.#pickSpare(avoid);
  }

  /** Replaces the upstreams and lays out their cycle; the round goes on from where it was. */
  update(upstreams: readonly C[]): void {
    this.#upstreams = [...upstreams];
    this.#cycle = smoothCycle(this.#upstreams, cycleWeights(this.#upstreams));
  }

  #pickSpare(avoid: readonly C[] | undefined): C | undefined {
    const cycle = this.#cycle;
    const spare = Atomics.load(this.#fields, SPARE) >>> 0;
    const steps = Math.min(cycle.length, MAX_SPARE_STEPS);
    for (let step = 0; step < steps; step++) {
      const candidate = cycle[(spare + step) % cycle.length];
      if (!eligible(candidate, avoid)) continue;
      Atomics.add(this.#fields, SPARE, step + 1);
      return candidate;
    }
    return drawByWeight(this.#upstreams, this.#random, avoid);
  }
}

/** Turns of each upstream in one cycle: the weights in lowest terms, scaled down if their sum would be too long. */
function cycleWeights(upstreams: readonly Candidate[]): number[] {
  const weights = upstreams.map((upstream) => upstream.weight);
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  const maxCycle = Math.max(MAX_CYCLE, 16 * weights.length);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (Number.isInteger(divisor) && total / divisor <= maxCycle) return weights.map((weight) => weight / divisor);
  // Each upstream has one turn for sure; the rest is shared by weight. The sum stays within the bound.
  const scale = (maxCycle - weights.length) / total;
  return weights.map((weight) => Math.max(1, Math.round(weight * scale)));
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/**
 * Smooth order: each turn every upstream gains its weight; the one that has gained most takes the turn and pays the sum
 * of all weights. Weights 5, 1, 1 give a a b a c a a.
 */
function smoothCycle<C>(upstreams: readonly C[], weights: readonly number[]): C[] {
  if (weights.every((weight) => weight === 1)) return [...upstreams];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const gained = new Float64Array(weights.length);
  const cycle: C[] = [];
  for (let turn = 0; turn < total; turn++) {
    let most = 0;
    for (let i = 0; i < gained.length; i++) {
      gained[i] += weights[i];
      if (gained[i] > gained[most]) most = i;
    }
    gained[most] -= total;
    cycle.push(upstreams[most]);
  }
  return cycle;
}
