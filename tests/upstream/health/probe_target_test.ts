// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { localFields } from "../../../lib/state/shared_state.ts";
import type { HealthCheckConfig } from "../../../lib/upstream/config/health_check_schema.ts";
import { type ProbedUpstream, ProbeTarget } from "../../../lib/upstream/health/probe_target.ts";
import type { Upstream } from "../../../lib/upstream/upstream.ts";
import type { UpstreamOptions } from "../../../lib/upstream/upstream.ts";
import { upstreamFieldCount } from "../../../lib/upstream/condition/condition_fields.ts";
import { checkOf, upstreamAt } from "./probed_upstream.ts";

const PASSIVE: UpstreamOptions["passiveHealth"] = {
  enabled: true,
  max_ejected_percent: 50,
  max_fails: 1,
  fail_window: 60_000,
  eject_for: 60_000,
  max_eject_for: 60_000,
  fail_status: [],
  slow_after: 0,
};

function probed(options: Partial<UpstreamOptions> = {}, check: Partial<HealthCheckConfig> = {}): ProbedUpstream {
  return { upstream: upstreamAt("http://127.0.0.1:9", options), pool: "p", site: "s", check: checkOf(check) };
}

function targetOf(...all: ProbedUpstream[]): ProbeTarget {
  const target = new ProbeTarget(all[0]);
  target.adopt(all);
  return target;
}

let nowMs = 0;

/** Records probes, `+` good and `-` bad, and gives the state of `upstream` after each, with `!` where it was news. */
function after(target: ProbeTarget, upstream: Upstream, probes: string): string[] {
  return [...probes].map((sign) => {
    const result = sign === "+"
      ? { healthy: true, tookMs: 1 } as const
      : { healthy: false, reason: "bad", unconnected: false } as const;
    const news = target.record({ atMs: ++nowMs, result });
    return upstream.state + (news ? "!" : "");
  });
}

Deno.test("ProbeTarget.record() changes the verdict after as many probes in a row as the check says", () => {
  const one = probed();
  const target = targetOf(one);
  const states = after(target, one.upstream, "+--+---+-++-");
  const [up, down] = ["active", "unhealthy"];
  assertEquals(states, [up, up, up, up, up, up, `${down}!`, down, down, down, `${up}!`, up]);
  assertEquals([target.goodProbes, target.badProbes], [0, 1]);
});

Deno.test("ProbeTarget.record() believes the first good probe of an upstream that starts unhealthy", () => {
  const one = probed({ probedFirst: "unhealthy" });
  const target = targetOf(one);
  assertEquals(one.upstream.state, "unhealthy");
  assertEquals(after(target, one.upstream, "--+"), ["unhealthy", "unhealthy", "active!"]);
});

Deno.test("ProbeTarget.record() says why an upstream that starts unhealthy stays so", () => {
  const one = probed({ probedFirst: "unhealthy" });
  assertEquals(after(targetOf(one), one.upstream, "----"), ["unhealthy", "unhealthy", "unhealthy!", "unhealthy"]);
});

Deno.test("ProbeTarget.record() remembers when the verdict changed", () => {
  const one = probed();
  const target = targetOf(one);
  assertEquals(target.changedAtMs, undefined);
  after(target, one.upstream, "+");
  const firstMs = nowMs;
  after(target, one.upstream, "++--");
  assertEquals(target.changedAtMs, firstMs);
  after(target, one.upstream, "--");
  assertEquals(target.changedAtMs, nowMs - 1);
});

Deno.test("ProbeTarget.record() reports to all its upstreams, and gives one change for all", () => {
  const [one, two] = [probed(), probed()];
  const target = targetOf(one, { ...two, pool: "q" });
  assertEquals(after(target, one.upstream, "---"), ["active", "active", "unhealthy!"]);
  assertEquals([two.upstream.state, target.pools, target.sites], ["unhealthy", "p, q", "s"]);
});

Deno.test("ProbeTarget.adopt() keeps the counts, and gives new upstreams the current verdict", () => {
  const [one, two] = [probed(), probed()];
  const target = targetOf(one);
  after(target, one.upstream, "--");
  target.adopt([two]);
  assertEquals(two.upstream.state, "active");
  after(target, two.upstream, "-");
  assertEquals([two.upstream.state, one.upstream.state], ["unhealthy", "active"]);
  target.adopt([one, two]);
  assertEquals(one.upstream.state, "unhealthy");
});

Deno.test("ProbeTarget.adopt() brings an upstream that starts unhealthy up where its address is known to be well", () => {
  const [one, two] = [probed(), probed({ probedFirst: "unhealthy" })];
  const target = targetOf(one);
  after(target, one.upstream, "+");
  target.adopt([two]);
  assertEquals(two.upstream.state, "active");
});

Deno.test("ProbeTarget.record() ends an ejection after good probes, and only then", () => {
  const fields = localFields(upstreamFieldCount(1));
  const options = { passiveHealth: PASSIVE, takeFields: () => fields };
  const one = probed(options);
  const target = targetOf(one);
  after(target, one.upstream, "+++");
  one.upstream.failed("unreachable");
  assertEquals(one.upstream.condition.ejected, true);
  assertEquals(after(target, one.upstream, "+-+"), ["ejected", "ejected", "ejected"]);
  assertEquals(after(target, one.upstream, "+"), ["active"]);
  one.upstream.failed("unreachable");
  // A reload is no probe.
  const renewed = probed(options);
  target.adopt([renewed]);
  assertEquals(renewed.upstream.condition.ejected, true);
  assertEquals(after(target, renewed.upstream, "+"), ["active"]);
});

Deno.test("ProbeTarget.forget() begins anew, and leaves its upstreams as they are", () => {
  const one = probed();
  const target = targetOf(one);
  after(target, one.upstream, "---");
  one.upstream.condition.setAdminState("maintenance");
  assertEquals(target.wanted, false);
  target.forget();
  assertEquals([target.verdict, target.badProbes], ["unknown", 0]);
  one.upstream.condition.setAdminState("active");
  assertEquals([target.wanted, one.upstream.state], [true, "unhealthy"]);
  assertEquals(after(target, one.upstream, "+"), ["active!"]);
});
