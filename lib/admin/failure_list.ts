/**
 * Recent exchanges that failed, and the last failure of each upstream.
 *
 * @module
 */

import { failureKind, type FailureReport } from "../exchange/failure_report.ts";
import type { Generation } from "../generation/generation.ts";
import type { FailureSnapshot } from "./snapshot.ts";

const MOST = 50;
const MOST_LAST = 2000;

/** An upstream of one pool. The same server may be in several pools and fail for one of them only. */
export interface UpstreamPlace {
  /** Name of the site. */
  readonly site: string;
  /** Name of the pool. */
  readonly pool: string;
  readonly url: string;
}

/** The last failures, reported by the generation or by workers. */
export class FailureList {
  /** Returns the names of the pools to which an exchange may have been forwarded. Set by the management listener. */
  poolsOf: (report: FailureReport) => readonly string[] = () => [];
  readonly #last = new Map<string, string>();
  /** Failures by kind, the newest last. */
  readonly #kinds = new Map<string, FailureSnapshot>();
  #number = 0;

  /** One failure of each kind, the newest first, at most 50. */
  get failures(): readonly FailureSnapshot[] {
    return [...this.#kinds.values()].reverse();
  }

  add(report: FailureReport): void {
    const kind = failureKind(report);
    const before = this.#kinds.get(kind);
    this.#kinds.delete(kind);
    this.#kinds.set(kind, {
      ...report,
      number: before?.number ?? ++this.#number,
      firstAtMs: before?.firstAtMs ?? report.atMs,
      count: (before?.count ?? 0) + report.count,
      manyPaths: before !== undefined && (before.manyPaths || before.path !== report.path),
    });
    if (this.#kinds.size > MOST) this.#kinds.delete(this.#kinds.keys().next().value as string);
    const { site, upstream, owner, cause } = report;
    if (upstream === null || owner !== "upstream") return;
    for (const pool of this.poolsOf(report)) this.setLastFailure({ site, pool, url: upstream }, cause);
  }

  /** Records a failure of an upstream that fails no exchange, such as a slow response. */
  setLastFailure(place: UpstreamPlace, failure: string): void {
    const key = keyOf(place);
    this.#last.delete(key);
    this.#last.set(key, failure);
    if (this.#last.size > MOST_LAST) this.#last.delete(this.#last.keys().next().value as string);
  }

  /** Why the last attempt at an upstream failed; undefined when it succeeded. */
  lastFailureOf(place: UpstreamPlace): string | undefined {
    return this.#last.get(keyOf(place));
  }

  /** Records that an attempt at the upstream succeeded again. */
  clearLastFailure(place: UpstreamPlace): void {
    this.#last.delete(keyOf(place));
  }
}

function keyOf({ site, pool, url }: UpstreamPlace): string {
  return JSON.stringify([site, pool, url]);
}

/** Names of the pools of the routes with this path: several, where routes of one path differ in their methods. */
export function poolsOfRoute(generation: Generation, site: string, path: string): string[] {
  const { proxy } = generation.sites.find(({ config }) => config.name === site)?.config ?? {};
  if (proxy?.enabled !== true) return [];
  return [...new Set(proxy.routes.filter((route) => route.path === path).map(({ upstream }) => upstream))];
}
