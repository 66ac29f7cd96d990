/**
 * What is wrong with the server, the gravest first, the same in the dashboard and in `bws top`.
 *
 * @module
 */

import { formatCount, formatDuration, formatLeft, formatMs, formatShare, formatWhole } from "./format.js";
import { poolLabels } from "./pool_labels.js";
import { BY_GRAVITY, GRAVITY, shortUrl, STATES, timeLeft, wordOf } from "./upstream_states.js";

/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */
/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */
/** @typedef {import("../../snapshot.ts").UpstreamState} UpstreamState */
/** @typedef {import("./upstream_states.js").Tone} Tone */

/** A pool, and how it is called. @typedef {{ pool: PoolSnapshot, label: string }} NamedPool */

/**
 * Something that an operator should know. `key` is the same as long as it is the same problem; `left` is a countdown.
 *
 * @typedef {object} Trouble
 * @property {string} key
 * @property {Tone} tone
 * @property {UpstreamState | "reload" | "port" | "certificate" | "pool" | "errors" | "worker"} kind
 * @property {string} title
 * @property {string} detail
 * @property {string} left
 * @property {string | null} upstreamId
 * @property {string | null} poolId
 */

// Rates are of the last five seconds. A share of a handful of requests means little, unless it is most of them.
const WINDOW_SECONDS = 5;
const LEAST_FAILED = 3;
const LEAST_FAILED_OF_MOST = 2;
const WARN_ERROR_SHARE = 0.01;
const BAD_ERROR_SHARE = 0.05;
const LATE_LOOP_MS = 250;
const VERY_LATE_LOOP_MS = 1000;
const BUSY_CORES = 0.7;
const MOST_SINGLE = 4;
const EXPIRY_WARN_MS = 14 * 86_400_000;
const SHOWN_STATES = BY_GRAVITY.filter((state) => state !== "active");

/**
 * What is wrong.
 *
 * @param {Snapshot} snapshot
 * @returns {Trouble[]}
 */
export function troublesOf(snapshot) {
  const labels = poolLabels(snapshot.pools);
  const pools = snapshot.pools.map((pool) => ({ pool, label: labels.get(pool.id) ?? pool.name }));
  const found = [
    ...portTroubles(snapshot),
    ...certificateTroubles(snapshot),
    ...expiryTroubles(snapshot),
    ...pools.flatMap(poolTroubles),
    ...reloadTroubles(snapshot),
    ...errorTroubles(snapshot),
    ...workerTroubles(snapshot),
    ...pools.flatMap(failingTroubles),
    ...pools.flatMap((named) => SHOWN_STATES.flatMap((state) => upstreamTroubles(named, state))),
  ];
  return found.sort((a, b) => GRAVITY[a.tone] - GRAVITY[b.tone]);
}

/** What is said where rates and times would be. */
export const NO_METRICS = "Metrics are off (management.metrics = false)";

/**
 * Whether all is well, in a few words. What is not looked at is not called well.
 *
 * @param {Snapshot} snapshot
 * @param {number} count As {@linkcode countTroubles} has it.
 * @returns {string}
 */
export function verdictOf({ metrics }, count) {
  if (count === 0) return metrics ? "All is well" : "No problem in the states of upstreams";
  return count === 1 ? "1 problem" : `${formatWhole(count)} problems`;
}

/**
 * How many of them an operator has to do something about: what is under way or intended does not count.
 *
 * @param {readonly Trouble[]} troubles
 * @returns {number}
 */
export function countTroubles(troubles) {
  return troubles.filter(({ tone }) => tone === "bad" || tone === "warn").length;
}

/**
 * @param {NamedPool} named
 * @returns {Trouble[]}
 */
function poolTroubles({ pool, label }) {
  /** @type {Trouble[]} */
  const found = [];
  const base = { kind: /** @type {const} */ ("pool"), left: "", upstreamId: null, poolId: pool.id };
  if (pool.available === 0) {
    const why = pool.upstreams.length === 0 ? "it has no upstreams" : "none of its upstreams takes requests";
    const detail = why + (pool.triesAnyway ? ", and they are tried all the same" : "; they get 503");
    found.push({ ...base, key: `none ${pool.id}`, tone: "bad", title: `Pool ${label} is down`, detail });
  }
  if (pool.waiting > 0) {
    const detail = `${formatWhole(pool.waiting)} waiting for a free upstream`;
    found.push({ ...base, key: `full ${pool.id}`, tone: "warn", title: `Pool ${label} is full`, detail });
  }
  return found;
}

/**
 * @param {Snapshot} snapshot
 * @returns {Trouble[]}
 */
function portTroubles({ ports }) {
  return ports.filter(({ open, failingForMs }) => !open || failingForMs !== null).map((status) => {
    const { address, port, open, closedForMs, failingForMs, reason } = status;
    const forMs = closedForMs ?? failingForMs;
    return {
      key: `port ${address} ${port}`,
      tone: /** @type {const} */ ("bad"),
      kind: /** @type {const} */ ("port"),
      title: open ? `Port ${port} cannot accept connections` : `Port ${port} is closed`,
      detail: [reason ?? "", forMs === null ? "" : `for ${formatDuration(forMs)}`]
        .filter((part) => part !== "").join(", "),
      left: "",
      upstreamId: null,
      poolId: null,
    };
  });
}

/**
 * Certificates that could not be had. Without one a site cannot be reached; with one there is time until it expires.
 *
 * @param {Snapshot} snapshot
 * @returns {Trouble[]}
 */
function certificateTroubles({ certificates }) {
  const base = { kind: /** @type {const} */ ("certificate"), upstreamId: null, poolId: null };
  const failed = certificates.filter(({ problem }) => problem !== null);
  const shown = failed.slice(0, MOST_SINGLE).map(({ name, expiresInMs, problem }) => {
    const missing = expiresInMs === null || expiresInMs <= 0;
    const until = expiresInMs === null || missing ? "" : `; the one before expires in ${formatDuration(expiresInMs)}`;
    return {
      ...base,
      key: `certificate ${name}`,
      tone: missing ? /** @type {const} */ ("bad") : /** @type {const} */ ("warn"),
      title: expiresInMs === null ? `${name} has no certificate` : `${name}: its certificate cannot be renewed`,
      detail: `${problem?.message ?? ""}${until}`,
      left: `next try in ${formatLeft(problem?.nextTryInMs ?? 0)}`,
    };
  });
  if (failed.length <= MOST_SINGLE) return shown;
  const [{ problem }] = failed;
  return [{
    ...base,
    key: "certificates",
    tone: shown.some(({ tone }) => tone === "bad") ? "bad" : "warn",
    title: `${formatWhole(failed.length)} certificates cannot be had`,
    detail: `${failed.slice(0, 3).map(({ name }) => name).join(", ")} and ${failed.length - 3} more, the first for: ${
      problem?.message ?? ""
    }`,
    left: "",
  }];
}

/**
 * Certificates in files that expire soon or have expired: nobody but the operator renews them.
 *
 * @param {Snapshot} snapshot
 * @returns {Trouble[]}
 */
function expiryTroubles({ certificates }) {
  const ending = certificates.filter(({ origin, expiresInMs }) =>
    origin === "file" && expiresInMs !== null && expiresInMs <= EXPIRY_WARN_MS
  );
  return ending.slice(0, MOST_SINGLE).map(({ name, expiresInMs }) => {
    const left = expiresInMs ?? 0;
    return {
      ...{ kind: /** @type {const} */ ("certificate"), key: `expiry ${name}`, upstreamId: null, poolId: null },
      tone: left <= 0 ? /** @type {const} */ ("bad") : /** @type {const} */ ("warn"),
      title: left <= 0 ? `The certificate of ${name} has expired` : `The certificate of ${name} expires soon`,
      detail: left <= 0
        ? "Clients refuse it; its files are read again when they change"
        : "Its files are read again when they change",
      left: left <= 0 ? "" : `${formatDuration(left)} left`,
    };
  });
}

/**
 * @param {Snapshot} snapshot
 * @returns {Trouble[]}
 */
function reloadTroubles({ config }) {
  if (config.refused === null) return [];
  const count = config.refused.problems.length;
  return [{
    key: `reload ${config.refused.atMs}`,
    tone: "bad",
    kind: "reload",
    title: "Reload refused",
    detail: `${
      count === 1 ? "1 problem" : `${count} problems`
    } in the new config; generation ${config.generation} runs on`,
    left: "",
    upstreamId: null,
    poolId: null,
  }];
}

/**
 * @param {Snapshot} snapshot
 * @returns {Trouble[]}
 */
function errorTroubles({ sites }) {
  return sites.flatMap(({ name, requestRate, errorRate }) => {
    const share = failedShare({ requestRate, errorRate });
    if (share < WARN_ERROR_SHARE) return [];
    return [{
      key: `errors ${name}`,
      tone: share < BAD_ERROR_SHARE ? /** @type {const} */ ("warn") : /** @type {const} */ ("bad"),
      kind: /** @type {const} */ ("errors"),
      title: `Site ${name}: ${formatShare(share)} of its requests fail`,
      detail: `${formatCount(errorRate)} a second`,
      left: "",
      upstreamId: null,
      poolId: null,
    }];
  });
}

/**
 * The share that failed; 0 where too few did to speak of one.
 *
 * @param {{ requestRate: number, errorRate: number }} flow
 * @returns {number}
 */
function failedShare({ requestRate, errorRate }) {
  if (requestRate === 0) return 0;
  const share = Math.min(1, errorRate / requestRate);
  // Rates are rounded.
  const failed = Math.round(errorRate * WINDOW_SECONDS);
  return failed >= LEAST_FAILED || (share >= 0.5 && failed >= LEAST_FAILED_OF_MOST) ? share : 0;
}

/**
 * Upstreams that take requests, yet fail many of them.
 *
 * @param {NamedPool} named
 * @returns {Trouble[]}
 */
function failingTroubles({ pool, label }) {
  const failing = pool.upstreams.filter(({ state, requestRate, errorRate }) =>
    state === "active" && failedShare({ requestRate, errorRate }) >= BAD_ERROR_SHARE
  );
  const base = {
    tone: /** @type {const} */ ("warn"),
    kind: /** @type {const} */ ("errors"),
    left: "",
    poolId: pool.id,
  };
  if (failing.length > MOST_SINGLE) {
    const title = `${failing.length} of ${pool.upstreams.length} in pool ${label}: many attempts fail`;
    const detail = namesOf(failing);
    return [{ ...base, key: `failing ${pool.id}`, title, detail, upstreamId: null }];
  }
  return failing.map(({ id, url, requestRate, errorRate }) => ({
    ...base,
    tone: errorRate >= requestRate / 2 ? /** @type {const} */ ("bad") : base.tone,
    key: `failing ${id}`,
    title: `${shortUrl(url)}: ${formatShare(errorRate / requestRate)} of its attempts fail`,
    detail: `pool ${label}, ${formatCount(errorRate)} a second`,
    upstreamId: id,
  }));
}

/**
 * @param {readonly UpstreamSnapshot[]} upstreams
 * @returns {string}
 */
function namesOf(upstreams) {
  return `${upstreams.slice(0, 3).map(({ url }) => shortUrl(url)).join(", ")} and ${upstreams.length - 3} more`;
}

/**
 * @param {Snapshot} snapshot
 * @returns {Trouble[]}
 */
function workerTroubles({ process }) {
  const base = { kind: /** @type {const} */ ("worker"), left: "", upstreamId: null, poolId: null };
  const { cpuCores } = process;
  const cores = `${cpuCores.toFixed(2)} cores`;
  return process.workers.flatMap(({ index, state, loopDelayMs, restarts }) => {
    /** @type {Trouble[]} */
    const found = [];
    if (state === "ended") {
      const detail = "it ended and was not started again";
      found.push({ ...base, key: `ended ${index}`, tone: "bad", title: `Worker ${index} is gone`, detail });
    } else if (state === "starting") {
      const detail = "it ended and is started again" + (restarts === 0 ? "" : `, as ${restarts} times before`);
      found.push({
        ...base,
        key: `restart ${index}`,
        tone: "warn",
        title: `Worker ${index} is being replaced`,
        detail,
      });
      return found;
    }
    const tone = delayTone(process, loopDelayMs);
    if (tone !== undefined) {
      const late = `its event loop was ${formatMs(loopDelayMs)} late`;
      const busy = cpuCores >= BUSY_CORES;
      found.push({
        ...base,
        key: `late ${index}`,
        tone,
        title: busy ? `Worker ${index} is overloaded` : `Worker ${index} was held up`,
        detail: busy
          ? `${late}, and BWS uses ${cores}`
          : `${late} while BWS used ${cores}: the machine was busy with something else, or the program stood still`,
      });
    }
    return found;
  });
}

/**
 * How grave it is that an event loop was late; undefined where it is not. A short pause that comes from elsewhere is
 * nothing that an operator of BWS could change.
 *
 * @param {Snapshot["process"]} process
 * @param {number} loopDelayMs
 * @returns {"warn" | "note" | undefined}
 */
export function delayTone({ cpuCores }, loopDelayMs) {
  if (loopDelayMs < LATE_LOOP_MS) return undefined;
  return cpuCores >= BUSY_CORES || loopDelayMs >= VERY_LATE_LOOP_MS ? "warn" : "note";
}

/**
 * @param {NamedPool} named
 * @param {UpstreamState} state
 * @returns {Trouble[]}
 */
function upstreamTroubles({ pool, label }, state) {
  const { tone } = STATES[state];
  const word = wordOf(state);
  const members = pool.upstreams.filter((upstream) => upstream.state === state);
  if (members.length > MOST_SINGLE) {
    return [{
      key: `${state} ${pool.id}`,
      tone,
      kind: state,
      title: `${members.length} of ${pool.upstreams.length} in pool ${label}: ${word}`,
      detail: namesOf(members),
      left: "",
      upstreamId: null,
      poolId: pool.id,
    }];
  }
  return members.map((upstream) => ({
    key: `${state} ${upstream.id}`,
    tone,
    kind: state,
    title: `${shortUrl(upstream.url)}: ${word}`,
    detail: detailOf(label, upstream),
    left: timeLeft(upstream),
    upstreamId: upstream.id,
    poolId: pool.id,
  }));
}

/**
 * @param {string} label
 * @param {UpstreamSnapshot} upstream
 * @returns {string}
 */
function detailOf(label, { state, lastFailure, inFlight }) {
  const where = `pool ${label}`;
  if (state === "draining") return `${where}, ${formatWhole(inFlight)} in flight still`;
  if (state === "maintenance" || state === "slow_start" || lastFailure === null) return where;
  return `${where}, ${lastFailure}`;
}
