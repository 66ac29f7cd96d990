/**
 * What the page knows: the last snapshot, and the minutes before it.
 *
 * @module
 */

/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */
/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */

const CAPACITY = 300;
const TOTALS = /** @type {const} */ (
  ["requestRate", "errorRate", "p50Ms", "p95Ms", "p99Ms", "inFlight", "memoryBytes"]
);

/** The figures over time of one upstream. @typedef {{ requestRate: Float64Array, errorRate: Float64Array }} Track */

/** The page's memory. Lists of figures have their values up to `times.length`; NaN where there was none. */
export class Model {
  /** @type {Snapshot} */
  snapshot;
  times = { atMs: new Float64Array(CAPACITY), length: 0 };
  totals = {
    requestRate: list(),
    errorRate: list(),
    errorShare: list(),
    p50Ms: list(),
    p95Ms: list(),
    p99Ms: list(),
    inFlight: list(),
    memoryBytes: list(),
  };
  /** @type {Map<string, Track>} */
  #tracks = new Map();
  /** @type {Map<string, { pool: PoolSnapshot, upstream: UpstreamSnapshot }>} */
  #members = new Map();

  /** @param {Snapshot} first The first snapshot of a stream, with the history. */
  constructor(first) {
    this.snapshot = first;
    this.#seed(first);
    this.add(first);
  }

  /**
   * Adds a snapshot. One with a history begins anew: the page may have been away.
   *
   * @param {Snapshot} snapshot
   */
  add(snapshot) {
    if (snapshot.history !== undefined && snapshot !== this.snapshot) this.#seed(snapshot);
    this.snapshot = snapshot;
    const index = this.#advance(snapshot.atMs);
    for (const name of TOTALS) {
      const value = name === "memoryBytes" ? snapshot.process.memoryBytes : snapshot.totals[name];
      this.totals[name][index] = value ?? NaN;
    }
    this.totals.errorShare[index] = shareOf(snapshot.totals);
    this.#members.clear();
    for (const pool of snapshot.pools) {
      for (const upstream of pool.upstreams) {
        this.#members.set(upstream.id, { pool, upstream });
        const track = this.track(upstream.id);
        track.requestRate[index] = upstream.requestRate;
        track.errorRate[index] = upstream.errorRate;
      }
    }
  }

  /**
   * The figures of an upstream over time.
   *
   * @param {string} id
   * @returns {Track}
   */
  track(id) {
    let track = this.#tracks.get(id);
    if (track === undefined) this.#tracks.set(id, track = { requestRate: list(), errorRate: list() });
    return track;
  }

  /**
   * An upstream and its pool, or undefined when the config has it no more.
   *
   * @param {string} id
   * @returns {{ pool: PoolSnapshot, upstream: UpstreamSnapshot } | undefined}
   */
  find(id) {
    return this.#members.get(id);
  }

  /**
   * The highest value of figures that share a scale.
   *
   * @param {Iterable<Float64Array>} lists
   * @returns {number}
   */
  peak(lists) {
    let peak = 0;
    for (const values of lists) {
      for (let i = 0; i < this.times.length; i++) if (values[i] > peak) peak = values[i];
    }
    return peak;
  }

  /** @param {Snapshot} snapshot */
  #seed({ history, pools }) {
    this.times.length = 0;
    this.#tracks.clear();
    if (history === undefined) return;
    const from = Math.max(0, history.atMs.length - CAPACITY, startOf(history.atMs));
    this.times.length = history.atMs.length - from;
    fill(this.times.atMs, history.atMs, from);
    for (const name of TOTALS) fill(this.totals[name], history.totals[name], from);
    for (let i = 0; i < this.times.length; i++) {
      this.totals.errorShare[i] = shareOf({
        requestRate: this.totals.requestRate[i],
        errorRate: this.totals.errorRate[i],
      });
    }
    for (const { upstreams } of pools) {
      for (const { id } of upstreams) {
        const past = history.upstreams[id];
        if (past === undefined) continue;
        const track = this.track(id);
        fill(track.requestRate, past.requestRate, from);
        fill(track.errorRate, past.errorRate, from);
      }
    }
  }

  /**
   * Makes room for the next values.
   *
   * @param {number} atMs
   * @returns {number} Where they go.
   */
  #advance(atMs) {
    const { times } = this;
    // The clock was set back: what came before has no place on the axis of times any more.
    if (times.length > 0 && atMs < times.atMs[times.length - 1]) times.length = 0;
    if (times.length < CAPACITY) times.length++;
    else {
      times.atMs.copyWithin(0, 1);
      for (const values of Object.values(this.totals)) values.copyWithin(0, 1);
      for (const [id, track] of this.#tracks) {
        track.requestRate.copyWithin(0, 1);
        track.errorRate.copyWithin(0, 1);
        track.requestRate[CAPACITY - 1] = track.errorRate[CAPACITY - 1] = 0;
        if (!this.#members.has(id)) this.#tracks.delete(id);
      }
    }
    times.atMs[times.length - 1] = atMs;
    return times.length - 1;
  }
}

/**
 * The share of exchanges that failed.
 *
 * @param {{ requestRate: number, errorRate: number }} flow
 * @returns {number}
 */
export function shareOf({ requestRate, errorRate }) {
  return requestRate === 0 ? 0 : Math.min(1, errorRate / requestRate);
}

/**
 * Where times begin that only grow: the clock may have been set back.
 *
 * @param {readonly number[]} atMs
 * @returns {number}
 */
function startOf(atMs) {
  let start = atMs.length - 1;
  while (start > 0 && atMs[start - 1] <= atMs[start]) start--;
  return Math.max(0, start);
}

/** @returns {Float64Array} */
function list() {
  return new Float64Array(CAPACITY);
}

/**
 * @param {Float64Array} target
 * @param {readonly (number | null)[]} values
 * @param {number} from
 */
function fill(target, values, from) {
  for (let i = from; i < values.length; i++) target[i - from] = values[i] ?? NaN;
}
