/**
 * A probe target: one address with one check, the results of its probes, and the upstreams that get them.
 *
 * @module
 */

import type { Endpoint } from "../../sockets/endpoint.ts";
import type { Upstream } from "../upstream.ts";
import type { HealthCheck } from "./health_check.ts";
import type { ProbeResult } from "./probe.ts";

/** An upstream with a health check. */
export interface ProbedUpstream {
  readonly upstream: Upstream;
  /** Name of its pool, for the log. */
  readonly pool: string;
  /** Name of its site, for the log. */
  readonly site: string;
  readonly check: HealthCheck;
}

/** Verdict of the probes: `unknown` before the first, and in maintenance. */
export type Verdict = "healthy" | "unhealthy" | "unknown";

/** A probe that has been made. */
export interface FinishedProbe {
  /** When it ended, by the prober's clock. */
  readonly atMs: number;
  readonly result: ProbeResult;
}

/** One address with one check. Owned by its prober; outlives the upstreams that share it. */
export class ProbeTarget {
  readonly endpoint: Endpoint;
  readonly check: HealthCheck;
  verdict: Verdict = "unknown";
  /** When the verdict last changed; undefined before that. */
  changedAtMs: number | undefined;
  last: FinishedProbe | undefined;
  /** Good probes in a row. */
  goodProbes = 0;
  /** Bad probes in a row. */
  badProbes = 0;
  #members: Member[] = [];

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

  /** Names of the sites of its upstreams, for the log. */
  get sites(): string {
    return [...new Set(this.#members.map((member) => member.site))].join(", ");
  }

  /** Whether probes are needed: not all of its upstreams are in maintenance. */
  get wanted(): boolean {
    return this.#members.some(({ upstream }) => upstream.condition.adminState !== "maintenance");
  }

  /** Whether its last probe got no connection in time. */
  get unconnected(): boolean {
    const result = this.last?.result;
    return result !== undefined && !result.healthy && result.unconnected;
  }

  /** Replaces the upstreams; new ones get the current verdict. */
  adopt(probed: readonly ProbedUpstream[]): void {
    const known = new Map(this.#members.map((member) => [member.upstream, member]));
    this.#members = probed.map(({ upstream, pool, site }) => {
      const { reported = "unknown", goodSinceEjected = 0 } = known.get(upstream) ?? {};
      return { upstream, pool, site, reported, goodSinceEjected } satisfies Member;
    });
    for (const member of this.#members) {
      // An ejection of an earlier generation is ended by a probe, not by a reload.
      if (this.verdict === "unhealthy" || !member.upstream.condition.ejected) report(member, this.verdict);
    }
  }

  /**
   * Counts a probe.
   *
   * @returns Whether the change is to be logged: the verdict changed, and with it the condition of its upstreams.
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
      if (report(member, this.verdict)) changed = true;
      if (this.verdict === "healthy") this.#reconsider(member, healthy);
    }
    return this.verdict !== before && (changed || before !== "unknown" || this.verdict === "unhealthy");
  }

  /** Resets the verdict, for maintenance. The condition of its upstreams stays. */
  forget(): void {
    this.verdict = "unknown";
    this.goodProbes = 0;
    this.badProbes = 0;
    for (const member of this.#members) member.reported = "unknown";
  }

  #judge(): Verdict {
    // One good probe is enough when the verdict is unknown: a start must not wait for several intervals.
    if (this.goodProbes >= (this.verdict === "unknown" ? 1 : this.check.healthy_after)) return "healthy";
    return this.badProbes >= this.check.unhealthy_after ? "unhealthy" : this.verdict;
  }

  // Attempts may have ejected an upstream whose probes did not fail often enough to make it unhealthy.
  #reconsider(member: Member, healthy: boolean): void {
    member.goodSinceEjected = healthy && member.upstream.condition.ejected ? member.goodSinceEjected + 1 : 0;
    if (member.goodSinceEjected >= this.check.healthy_after) member.upstream.condition.probed(true);
  }
}

interface Member {
  readonly upstream: Upstream;
  readonly pool: string;
  readonly site: string;
  reported: Verdict;
  goodSinceEjected: number;
}

// Once for each verdict: repeating `healthy` would begin the upstream's slow start again.
function report(member: Member, verdict: Verdict): boolean {
  if (verdict === "unknown" || member.reported === verdict) return false;
  member.reported = verdict;
  return member.upstream.condition.probed(verdict === "healthy");
}
