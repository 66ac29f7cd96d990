/**
 * What probes have found out about one address, and the upstreams that this is told to.
 *
 * @module
 */

import type { Endpoint } from "../../sockets/endpoint.ts";
import type { Upstream } from "../upstream.ts";
import type { HealthCheck } from "./health_check.ts";
import type { ProbeResult } from "./probe.ts";

/** An upstream that is to be probed. */
export interface ProbedUpstream {
  /** Told what probes find. */
  readonly upstream: Upstream;
  /** Name of its pool, for the log. */
  readonly pool: string;
  /** Name of its site, for the log. */
  readonly site: string;
  /** How it is probed. */
  readonly check: HealthCheck;
}

/** What probes say: `unknown` before they have said anything, and in maintenance. */
export type Verdict = "healthy" | "unhealthy" | "unknown";

/** A probe that has been made. */
export interface FinishedProbe {
  /** When it ended, by the prober's clock. */
  readonly atMs: number;
  /** What it found. */
  readonly result: ProbeResult;
}

/** One address that is probed in one way. Owned by its prober; outlives the upstreams that it speaks for. */
export class ProbeTarget {
  /** Where it is. */
  readonly endpoint: Endpoint;
  /** How it is probed. */
  readonly check: HealthCheck;
  /** What its probes say. */
  verdict: Verdict = "unknown";
  /** When the verdict last changed; undefined before that. */
  changedAtMs: number | undefined;
  /** Its last probe. */
  last: FinishedProbe | undefined;
  /** Good probes in a row. */
  goodProbes = 0;
  /** Bad probes in a row. */
  badProbes = 0;
  #members: Member[] = [];

  /** Nothing is known of it yet. */
  constructor({ upstream, check }: ProbedUpstream) {
    this.endpoint = upstream.endpoint;
    this.check = check;
  }

  /** The `url` of its upstreams. */
  get url(): string {
    return this.#members[0].upstream.url;
  }

  /** Names of the pools of its upstreams, for the log. */
  get pools(): string {
    return [...new Set(this.#members.map((member) => member.pool))].join(", ");
  }

  /** Names of their sites. */
  get sites(): string {
    return [...new Set(this.#members.map((member) => member.site))].join(", ");
  }

  /** Whether anyone wants to know: not all of its upstreams are in maintenance. */
  get wanted(): boolean {
    return this.#members.some(({ upstream }) => upstream.condition.adminState !== "maintenance");
  }

  /** Whether its last probe got no connection in time. */
  get unconnected(): boolean {
    const result = this.last?.result;
    return result !== undefined && !result.healthy && result.unconnected;
  }

  /** Speaks for these upstreams from now on; those that are new are told what is known. */
  adopt(probed: readonly ProbedUpstream[]): void {
    const known = new Map(this.#members.map((member) => [member.upstream, member]));
    this.#members = probed.map(({ upstream, pool, site }) => {
      const { told = "unknown", goodSinceEjected = 0 } = known.get(upstream) ?? {};
      return { upstream, pool, site, told, goodSinceEjected } satisfies Member;
    });
    for (const member of this.#members) {
      // An ejection that an earlier generation left in the fields is ended by a probe, not by a reload.
      if (this.verdict === "unhealthy" || !member.upstream.condition.ejected) tell(member, this.verdict);
    }
  }

  /**
   * Counts a probe.
   *
   * @returns Whether this is news: its upstreams are in another condition than they were or than was said of them.
   */
  record(probe: FinishedProbe): boolean {
    const { healthy } = probe.result;
    this.last = probe;
    this.goodProbes = healthy ? this.goodProbes + 1 : 0;
    this.badProbes = healthy ? 0 : this.badProbes + 1;
    const before = this.verdict;
    this.verdict = this.#judge();
    if (this.verdict !== before) this.changedAtMs = probe.atMs;
    let changed = false;
    for (const member of this.#members) {
      if (tell(member, this.verdict)) changed = true;
      if (this.verdict === "healthy") this.#reconsider(member, healthy);
    }
    return this.verdict !== before && (changed || before !== "unknown" || this.verdict === "unhealthy");
  }

  /** Forgets what was found: work is being done on it. Its upstreams stay as they are. */
  forget(): void {
    this.verdict = "unknown";
    this.goodProbes = 0;
    this.badProbes = 0;
    for (const member of this.#members) member.told = "unknown";
  }

  #judge(): Verdict {
    // The first good probe is enough where nothing was known: a start must not wait for several intervals.
    if (this.goodProbes >= (this.verdict === "unknown" ? 1 : this.check.healthyAfter)) return "healthy";
    return this.badProbes >= this.check.unhealthyAfter ? "unhealthy" : this.verdict;
  }

  // Attempts may have ejected an upstream whose probes never failed often enough to say so.
  #reconsider(member: Member, healthy: boolean): void {
    member.goodSinceEjected = healthy && member.upstream.condition.ejected ? member.goodSinceEjected + 1 : 0;
    if (member.goodSinceEjected >= this.check.healthyAfter) member.upstream.condition.probed(true);
  }
}

interface Member {
  readonly upstream: Upstream;
  readonly pool: string;
  readonly site: string;
  told: Verdict;
  goodSinceEjected: number;
}

// Once for each verdict: hearing again that it is well would begin an upstream's slow start anew.
function tell(member: Member, verdict: Verdict): boolean {
  if (verdict === "unknown" || member.told === verdict) return false;
  member.told = verdict;
  return member.upstream.condition.probed(verdict === "healthy");
}
