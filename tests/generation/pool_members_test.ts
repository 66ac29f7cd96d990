/**
 * Who is in a pool: the config's upstreams, those that are found for names, and what an operator adds or takes out.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStrictEquals } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { createPools } from "../../lib/generation/pools/pools.ts";
import { ProcessState } from "../../lib/generation/process_state.ts";
import type { ProxyConfig } from "../../lib/handlers/proxy/config/proxy_schema.ts";
import type { DiscoveredAddress } from "../../lib/upstream/discovery/addresses.ts";
import { SupervisorAddresses } from "../../lib/upstream/discovery/supervisor_addresses.ts";
import { configOf, type RunningProxyOptions } from "../support/running_proxy.ts";

/** The pool of a site, whose names are looked up by the test. */
function poolOf(options: RunningProxyOptions, processState = new ProcessState({ probes: false })) {
  const { config } = resolveConfig(configOf(options));
  const pools = createPools(config.sites[0].proxy as ProxyConfig, {
    ...{ processState, sharedState: processState.sharedState, metrics: undefined, site: "site" },
    ...{ shownUrls: new Map(), policies: {} },
  });
  const [pool] = pools.byName.values();
  const [members] = pools.members.values();
  return { pool, members, dynamic: pools.dynamic, urls: () => pool.upstreams.map(({ url }) => url) };
}

function adding(url: string) {
  return {
    ...{ kind: "add" as const, site: "site", pool: "app" },
    member: { url, weight: 3, maxConnections: 0, backup: false },
  };
}

function removing(id: string, force = false) {
  return { kind: "remove" as const, site: "site", pool: "app", id, force };
}

function addressOf(hostname: string): DiscoveredAddress {
  return { hostname, port: 80, weight: 1, priority: 0 };
}

const [ONE, OTHER, THIRD] = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"];

Deno.test("PoolMembers adds an upstream once, which starts slowly where the config says so", () => {
  const { pool, members, urls } = poolOf({ upstreams: [ONE], proxy: { load_balancing: { slow_start: "1m" } } });
  members.change(adding(OTHER));
  members.change(adding(OTHER));
  assertEquals(urls(), [ONE, OTHER]);
  const [fixed, added] = pool.upstreams;
  assertEquals([added.weight, added.state, fixed.state], [3, "slow_start", "active"]);
  assertEquals([members.sourceOf(fixed), members.sourceOf(added)], ["config", "api"]);
});

Deno.test("PoolMembers takes an upstream out, but not the last one unless it is forced", () => {
  const { pool, members, urls } = poolOf({ upstreams: [ONE, OTHER] });
  members.change(removing(ONE));
  assertEquals([urls(), [...members.removed]], [[OTHER], [ONE]]);
  members.change(removing(OTHER));
  assertEquals(urls(), [OTHER]);
  members.change(removing(OTHER, true));
  assertEquals([urls(), pool.shortage], [[], "pool app has none"]);
});

Deno.test("PoolMembers forgets an added upstream that is taken out again, and its state is there when it comes back", () => {
  const { pool, members, urls } = poolOf({ upstreams: [ONE] });
  members.change(adding(OTHER));
  pool.upstreams[1].condition.setAdminState("draining");
  members.change(removing(pool.upstreams[1].id));
  assertEquals([urls(), [...members.removed]], [[ONE], []]);
  members.change(adding(OTHER));
  assertEquals(pool.upstreams[1].state, "draining");
});

Deno.test("PoolMembers.changes bring another worker's pool to the same members", () => {
  const one = poolOf({ upstreams: [ONE, OTHER] });
  one.members.change(adding(THIRD));
  one.members.change(removing(ONE));
  const other = poolOf({ upstreams: [ONE, OTHER] });
  for (const change of one.members.changes) other.members.change(change);
  assertEquals(other.urls(), [OTHER, THIRD]);
  assertEquals(other.urls(), one.urls());
});

Deno.test("an upstream whose address stays is the same one, also beside those that an operator has added", async () => {
  const url = "http://app.test:80";
  const addresses = new SupervisorAddresses([]);
  const { pool, members, dynamic: [names], urls } = poolOf(
    { upstreams: [{ url, resolve: true, resolve_interval: "1m" }, ONE] },
    new ProcessState({ probes: false, addresses }),
  );
  const tell = (...hostnames: string[]) =>
    addresses.update([{ url, intervalMs: 60_000 }, hostnames.map((hostname) => addressOf(hostname))]);
  await names.start();
  members.change(adding(OTHER));
  assertEquals(urls(), [ONE, OTHER]);
  tell("10.0.0.1", "10.0.0.2");
  assertEquals(urls(), [ONE, "http://10.0.0.1:80", "http://10.0.0.2:80", OTHER]);
  const [, , stays] = pool.upstreams;
  assertEquals(members.sourceOf(stays), "discovery");
  tell("10.0.0.2", "10.0.0.3");
  assertEquals(urls(), [ONE, "http://10.0.0.2:80", "http://10.0.0.3:80", OTHER]);
  assertStrictEquals(pool.upstreams[1], stays);
  names.stop();
  tell("10.0.0.4");
  assertEquals(urls().length, 4);
});
