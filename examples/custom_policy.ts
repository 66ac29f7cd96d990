/**
 * A balancing policy and a middleware of one's own. The policy sends the requests of a tenant to the same upstream, which
 * then caches data of its tenants only; the middleware adds the duration to each response.
 *
 *     UPSTREAMS=http://127.0.0.1:3001,http://127.0.0.1:3002 deno run -A examples/custom_policy.ts
 */

import { type Candidate, createHandler, type Middleware, type Policy, type PolicyRequest } from "@bws/bws";

/** Rendezvous hashing: when an upstream fails, only its own tenants move to others. */
class ByTenant implements Policy {
  #upstreams: readonly Candidate[];

  constructor(upstreams: readonly Candidate[]) {
    this.#upstreams = upstreams;
  }

  pick(request?: PolicyRequest, avoid: readonly Candidate[] = []): Candidate | undefined {
    const tenant = request === undefined ? "" : tenantOf(request);
    let best: Candidate | undefined;
    let bestScore = -1;
    for (const upstream of this.#upstreams) {
      const score = hash(`${tenant} ${upstream.id}`);
      if (!upstream.available || avoid.includes(upstream) || score <= bestScore) continue;
      best = upstream;
      bestScore = score;
    }
    return best;
  }

  update(upstreams: readonly Candidate[]): void {
    this.#upstreams = upstreams;
  }
}

// Header lines are flat: name, value, name, value.
function tenantOf({ head, clientAddress }: PolicyRequest): string {
  const { headers } = head;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].toLowerCase() === "x-tenant") return headers[i + 1];
  }
  return clientAddress;
}

// FNV-1a with a final mixing step, because the texts differ only a little.
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}

const timing: Middleware = async (request, next) => {
  const startMs = performance.now();
  const response = await next(request);
  response.headers.set("server-timing", `total;dur=${(performance.now() - startMs).toFixed(1)}`);
  return response;
};

const urls = Deno.env.get("UPSTREAMS") ?? "http://127.0.0.1:3001,http://127.0.0.1:3002";
const handler = createHandler({
  sites: [{
    proxy: {
      upstreams: urls.split(",").map((url) => ({ name: "app", url })),
      routes: [{ path: "/", upstream: "app" }],
      load_balancing: { method: "by_tenant" },
    },
  }],
}, {
  policies: { by_tenant: (upstreams) => new ByTenant(upstreams) },
  middleware: [timing],
});

Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, handler);
