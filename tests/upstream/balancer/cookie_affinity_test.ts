// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertMatch, assertNotEquals, assertStrictEquals } from "@std/assert";
import { CookieAffinity } from "../../../lib/upstream/balancer/cookie_affinity.ts";
import type { PolicyOptions, PolicyRequest } from "../../../lib/upstream/balancer/policy.ts";
import { RoundRobin } from "../../../lib/upstream/balancer/round_robin.ts";
import { Weighted } from "../../../lib/upstream/balancer/weighted.ts";
import { policyContract, requestOf, type TestUpstream, upstreamsOf } from "../../contract/policy_contract.ts";

policyContract(
  "CookieAffinity",
  (upstreams, options) => new CookieAffinity(upstreams, new Weighted(upstreams, options), options),
  { spread: "weighted", joint: false, request: (seed) => requestOf({ headers: ["cookie", `bws_upstream=${seed}`] }) },
);

const SECRET = "a secret of the tests";

function make(upstreams: readonly TestUpstream[], options: PolicyOptions = {}): CookieAffinity<TestUpstream> {
  return new CookieAffinity(upstreams, new RoundRobin(upstreams, options), { secret: SECRET, ...options });
}

/** The pair of a Set-Cookie value, as a client sends it back. */
function pairOf(setCookie: string | undefined): string {
  assert(setCookie !== undefined, "expected a cookie");
  return setCookie.split(";")[0];
}

function withCookie(...cookies: string[]): PolicyRequest {
  return requestOf({ headers: cookies.flatMap((cookie) => ["cookie", cookie]) });
}

Deno.test("CookieAffinity.pick() keeps a client with the upstream of its cookie, and says no more", () => {
  const upstreams = upstreamsOf(1, 1, 1, 1);
  const policy = make(upstreams);
  for (const upstream of upstreams) {
    const request = withCookie(`a=b; ${pairOf(policy.affinity(requestOf({}), upstream))}`);
    for (let i = 0; i < 10; i++) assertStrictEquals(policy.pick(request), upstream);
    assertStrictEquals(policy.affinity(request, upstream), undefined);
  }
});

Deno.test("CookieAffinity.pick() asks its fallback when the upstream cannot be picked, and gives a new cookie", () => {
  const upstreams = upstreamsOf(1, 1, 1);
  const [a, b, c] = upstreams;
  const policy = make(upstreams);
  const request = withCookie(pairOf(policy.affinity(undefined, a)));
  a.available = false;
  const instead = policy.pick(request);
  assert(instead === b || instead === c);
  assertStrictEquals(policy.pick(withCookie(pairOf(policy.affinity(request, instead)))), instead);
  a.available = true;
  assertStrictEquals(policy.pick(request), a);
  assert(policy.pick(request, [a]) !== a);
});

Deno.test("CookieAffinity.update() keeps the cookies of those that stay, and forgets those of the rest", () => {
  const [a, b, c] = upstreamsOf(1, 1, 1);
  const policy = make([a, b]);
  const [ofA, ofB] = [a, b].map((upstream) => withCookie(pairOf(policy.affinity(undefined, upstream))));
  policy.update([b, c]);
  assertStrictEquals(policy.pick(ofB), b);
  for (let i = 0; i < 4; i++) assertNotEquals(policy.pick(ofA), a);
  assertStrictEquals(policy.affinity(undefined, a), undefined);
  policy.update([c, a, b]);
  assertStrictEquals(policy.pick(ofA), a);
});

Deno.test("CookieAffinity takes no cookie that was forged, cut, changed or signed with another secret", () => {
  const upstreams = upstreamsOf(1, 1, 1, 1);
  const policy = make(upstreams);
  const good = pairOf(policy.affinity(undefined, upstreams[2]));
  const other = pairOf(make(upstreams, { secret: `${SECRET}.` }).affinity(undefined, upstreams[2]));
  const value = good.split("=")[1];
  const { id } = upstreams[2];
  const forged = [
    ...[other, good.slice(0, -1), `${good}A`, good.toUpperCase(), `bws_upstream=${id}`, `bws_upstream=${btoa(id)}`],
    ...["bws_upstream=", "bws_upstream=2", "bws_upstream=__proto__", `bws=${value}`],
    ...Array.from(
      value,
      (char, i) => `bws_upstream=${value.slice(0, i)}${char === "A" ? "B" : "A"}${value.slice(i + 1)}`,
    ),
  ];
  for (const cookie of forged) {
    const request = withCookie(cookie);
    // Its fallback goes on with its turns
    const turns = Array.from({ length: 4 }, () => policy.pick(request));
    assertEquals(new Set(turns).size, 4, cookie);
    assertStrictEquals(pairOf(policy.affinity(request, upstreams[2])), good);
  }
});

Deno.test("CookieAffinity gives values that hold nothing of the upstream, and differ for each", () => {
  const upstreams = upstreamsOf(...Array.from({ length: 80 }, () => 1));
  const values = upstreams.map((upstream) => pairOf(make(upstreams).affinity(undefined, upstream)));
  assertEquals(new Set(values).size, 80);
  for (const value of values) assertMatch(value, /^bws_upstream=[\w-]{22}$/);
  // The same after a restart and on another proxy with the same secret; not without one
  assertEquals(values, upstreams.map((upstream) => pairOf(make(upstreams).affinity(undefined, upstream))));
  const alone = () => pairOf(make(upstreams, { secret: undefined }).affinity(undefined, upstreams[0]));
  assertNotEquals(alone(), alone());
});

Deno.test("CookieAffinity signs with the secret of its settings before that of the process", () => {
  const upstreams = upstreamsOf(1, 1);
  const settings = { cookie: { secret: "of the config" } };
  const [one, other] = ["p", "q"].map((secret) =>
    make(upstreams, { secret, settings }).affinity(undefined, upstreams[0])
  );
  assertStrictEquals(one, other);
  assertNotEquals(one, make(upstreams, { secret: "p" }).affinity(undefined, upstreams[0]));
});

Deno.test("CookieAffinity takes the first of several cookies whose upstream can be picked", () => {
  const upstreams = upstreamsOf(1, 1, 1);
  const policy = make(upstreams);
  const [a, b, c] = upstreams.map((upstream) => pairOf(policy.affinity(undefined, upstream)));
  const request = withCookie(`${a}; x=y`, `bws_upstream=old; ${b.replace("=", ' = "')}"`, c);
  assertStrictEquals(policy.pick(request), upstreams[0]);
  upstreams[0].available = false;
  assertStrictEquals(policy.pick(request), upstreams[1]);
  assertStrictEquals(policy.affinity(request, upstreams[1]), undefined);
  assertStrictEquals(policy.pick(request, [upstreams[1]]), upstreams[2]);
});

Deno.test("CookieAffinity writes the attributes that its settings ask for", () => {
  const upstreams = upstreamsOf(1);
  const written = (cookie: NonNullable<PolicyOptions["settings"]>["cookie"], request?: PolicyRequest) =>
    make(upstreams, { settings: { cookie } }).affinity(request, upstreams[0])?.replace(/=[\w-]{22};/, ";");
  assertStrictEquals(written({}), "bws_upstream; HttpOnly; SameSite=Lax; Path=/");
  assertStrictEquals(
    written({ name: "s", path: "/app", domain: "a.test", max_age: 90_500, http_only: false, same_site: "strict" }),
    "s; Max-Age=91; Domain=a.test; SameSite=Strict; Path=/app",
  );
  const none = { secure: true, same_site: "none", max_age: 1 } as const;
  assertStrictEquals(written(none), "bws_upstream; Secure; HttpOnly; Max-Age=1; SameSite=None; Path=/");
});

Deno.test('CookieAffinity with secure = "auto" goes by the scheme of the client', () => {
  const upstreams = upstreamsOf(1);
  const secureFor = (request: PolicyRequest, secure?: boolean) =>
    make(upstreams, { settings: { cookie: { secure } } }).affinity(request, upstreams[0])?.includes("; Secure");
  const [plain, tls] = [requestOf({ scheme: "http" }), requestOf({ scheme: "https" })];
  assertFalse(secureFor(plain));
  assert(secureFor(tls));
  assert(secureFor({ ...plain, clientScheme: "https" }));
  assertFalse(secureFor({ ...tls, clientScheme: "http" }));
  assert(secureFor(plain, true));
  assertFalse(secureFor(tls, false));
});

Deno.test("CookieAffinity gives each pool of a site a cookie of its own", () => {
  const upstreams = upstreamsOf(1, 1);
  const nameOf = (pool?: string) => pairOf(make(upstreams, { pool }).affinity(undefined, upstreams[0])).split("=")[0];
  assertStrictEquals(nameOf(), "bws_upstream");
  assertMatch(nameOf("api"), /^bws_upstream_[0-9a-f]{8}$/);
  assertNotEquals(nameOf("api"), nameOf("web"));
  assertStrictEquals(nameOf("api"), nameOf("api"));
  // Neither is taken for the other, nor for one that begins like it
  const [api, web] = ["api", "web"].map((pool) => make(upstreams, { pool }));
  const both = withCookie(
    [api.affinity(undefined, upstreams[0]), web.affinity(undefined, upstreams[1])].map(pairOf).join("; "),
  );
  for (let i = 0; i < 4; i++) assertStrictEquals(api.pick(both), upstreams[0]);
  for (let i = 0; i < 4; i++) assertStrictEquals(web.pick(both), upstreams[1]);
});
