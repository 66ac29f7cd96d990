// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ForwardAuthInput } from "../../lib/generation/config/config_types.ts";
import { forwardAuth } from "../../lib/features/forward_auth/forward_auth.ts";
import { forwardAuthKeys } from "../../lib/features/forward_auth/forward_auth_schema.ts";
import { serviceUrlFault, splitServiceUrl } from "../../lib/upstream/service_url.ts";
import { until } from "../support/condition.ts";
import { freePort } from "../support/port.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { ScriptedUpstream } from "../support/scripted_upstream.ts";

interface Answer {
  readonly status?: number;
  readonly headers?: [string, string][];
  readonly body?: string;
}

/** A service, an upstream that repeats the fields of its requests, and BWS before both. */
class Guarded implements AsyncDisposable {
  /** What the service was asked. */
  readonly questions: { method: string; url: string; headers: Headers }[] = [];
  /** Requests that reached the upstream. */
  reached = 0;
  /** What the service says. */
  answer: (request: Request) => Answer | Promise<Answer> = () => ({});
  proxy!: RunningProxy;
  readonly #service: Deno.HttpServer<Deno.NetAddr>;
  readonly #app: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} } as const;
    this.#service = Deno.serve(options, async (request) => {
      const { method, url, headers: asked } = request;
      this.questions.push({ method, url, headers: new Headers(asked) });
      const { status = 200, headers = [], body = "" } = await this.answer(request);
      return new Response(status === 204 ? null : body, { status, headers });
    });
    this.#app = Deno.serve(options, (request) => {
      this.reached++;
      if (request.headers.get("upgrade") === "websocket") {
        const user = request.headers.get("x-user") ?? "";
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onopen = () => socket.send(user);
        return response;
      }
      return Response.json(Object.fromEntries(request.headers));
    });
  }

  static async start(table: Partial<ForwardAuthInput> = {}, site = {}): Promise<Guarded> {
    const guarded = new Guarded();
    const url = `http://127.0.0.1:${guarded.#service.addr.port}/verify?rd=here`;
    guarded.proxy = await RunningProxy.start({
      upstreams: [`http://127.0.0.1:${guarded.#app.addr.port}`],
      site: { forward_auth: { url, ...table }, ...site },
      proxy: {
        routes: [{ path: "/open/", upstream: "app", forward_auth: { enabled: false } }, {
          path: "/",
          upstream: "app",
          websocket: true,
        }],
      },
    });
    return guarded;
  }

  get(path = "/", init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.proxy.port}${path}`, { redirect: "manual", ...init });
  }

  async fieldsOf(init: RequestInit = {}): Promise<Record<string, string>> {
    return await (await this.get("/", init)).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await Promise.all([this.#service.shutdown(), this.#app.shutdown()]);
  }
}

Deno.test("forward_auth asks with GET, without the body, and tells what the request is", async () => {
  await using guarded = await Guarded.start();
  const response = await guarded.get("/a/b?c=d", {
    method: "POST",
    body: "text",
    headers: {
      ...{ cookie: "s=1", authorization: "Bearer x", "x-own": "y", "if-none-match": '"1"', range: "bytes=0-1" },
      ...{ "x-forwarded-uri": "/public", "x_forwarded_user": "root", "x-original-url": "http://forged/" },
      ...{ "x-client-cert-verify": "SUCCESS", "X-Client-Cert-Subject": "CN=root", "x_client_cert_issuer": "CN=ca" },
    },
  });
  assertEquals((await response.json())["content-length"], "4");
  const [{ method, url, headers }] = guarded.questions;
  assertEquals(method, "GET");
  assertStringIncludes(url, "/verify?rd=here");
  const host = `127.0.0.1:${guarded.proxy.port}`;
  const expected = {
    ...{ cookie: "s=1", authorization: "Bearer x", "x-own": "y", "x-forwarded-method": "POST" },
    ...{ "x-forwarded-proto": "http", "x-forwarded-host": host, "x-forwarded-uri": "/a/b?c=d" },
    ...{ "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "x-original-method": "POST" },
    ...{ "x-original-url": `http://${host}/a/b?c=d` },
  };
  for (const [name, value] of Object.entries(expected)) assertEquals(headers.get(name), value, name);
  for (const name of ["content-length", "if-none-match", "range", "x_forwarded_user", "content-encoding"]) {
    assertEquals(headers.get(name), null, name);
  }
  for (const name of ["x-client-cert-verify", "x-client-cert-subject", "x_client_cert_issuer"]) {
    assertEquals(headers.get(name), null, name);
  }
});

Deno.test("forward_auth copies fields of the service, and never those of a client", async () => {
  await using guarded = await Guarded.start({ copy_headers: ["X-User", "X-Groups"], user_header: "X-User" });
  const forged = { "x-user": "root", "x_user": "root", "X.Groups": "admins", connection: "x-user, x-groups" };
  guarded.answer = () => ({ status: 202, headers: [["X-User", "ann"], ["X-Other", "no"]] });
  const told = await guarded.fieldsOf({ headers: forged });
  assertEquals([told["x-user"], told["x_user"], told["x.groups"], told["x-groups"], told["x-other"]], [
    ...["ann", undefined, undefined, undefined, undefined],
  ]);
  assertEquals(guarded.questions[0].headers.get("x-user"), null);
  guarded.answer = () => ({ status: 204 });
  const silent = await guarded.fieldsOf({ headers: { ...forged } });
  assertEquals([silent["x-user"], silent["x_user"], silent["x-groups"]], [undefined, undefined, undefined]);
});

Deno.test("forward_auth gives credentials to the service, also those that it replaces", async () => {
  await using guarded = await Guarded.start({ copy_headers: ["Authorization"] });
  guarded.answer = ({ headers }) => ({ headers: [["Authorization", `Bearer for ${headers.get("authorization")}`]] });
  assertEquals((await guarded.fieldsOf({ headers: { authorization: "Basic x" } })).authorization, "Bearer for Basic x");
});

Deno.test("forward_auth gives the client any other response as it is, and the upstream nothing", async () => {
  await using guarded = await Guarded.start({ forward_cookies: true });
  const cookies: [string, string][] = [["set-cookie", "a=1; HttpOnly"], ["set-cookie", "b=2"]];
  guarded.answer = () => ({ status: 302, headers: [["location", "https://login.test/?rd=x"], ...cookies] });
  const redirected = await guarded.get("/app");
  assertEquals([redirected.status, redirected.headers.get("location")], [302, "https://login.test/?rd=x"]);
  assertEquals(redirected.headers.getSetCookie(), ["a=1; HttpOnly", "b=2"]);
  await redirected.body?.cancel();
  guarded.answer = () => ({ status: 401, headers: [["www-authenticate", 'Basic realm="x"']], body: "who are you" });
  const refused = await guarded.get("/app", { method: "PUT", body: "x".repeat(100_000) });
  assertEquals([refused.status, refused.headers.get("www-authenticate"), await refused.text()], [
    ...[401, 'Basic realm="x"', "who are you"],
  ]);
  assertEquals((await guarded.get("/app", { method: "HEAD" })).status, 401);
  assertEquals(guarded.reached, 0);
  guarded.answer = () => ({ headers: cookies });
  const passed = await guarded.get();
  await passed.body?.cancel();
  assertEquals(passed.headers.getSetCookie(), ["a=1; HttpOnly", "b=2"]);
  assertEquals([(await (await guarded.get("/open/")).json()).host !== undefined, guarded.questions.length], [true, 4]);
});

Deno.test("forward_auth lets nobody pass while the service fails, and holds nothing against upstreams", async () => {
  await using guarded = await Guarded.start({ timeout: "300ms", max_response: 1000, max_in_flight: 2 });
  const statusOf = async () => {
    const response = await guarded.get();
    await response.body?.cancel();
    return response.status;
  };
  guarded.answer = () => ({ status: 403, body: "x".repeat(1001) });
  assertEquals(await statusOf(), 502);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  guarded.answer = () => promise;
  const waiting = [statusOf(), statusOf()];
  await until("two questions wait", () => guarded.questions.length === 3);
  assertEquals(await statusOf(), 503);
  assertEquals(await Promise.all(waiting), [503, 503]);
  resolve({});
  guarded.answer = () => ({});
  assertEquals(await statusOf(), 200);
  assertEquals(guarded.proxy.upstreams[0].condition.healthy, true);
  await using closed = await Guarded.start({ url: `http://127.0.0.1:${freePort()}/` });
  assertEquals([await closed.get().then((response) => response.text().then(() => response.status)), closed.reached], [
    ...[503, 0],
  ]);
});

Deno.test("forward_auth ends a question when its client leaves", async () => {
  await using service = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.closed();
  });
  await using guarded = await Guarded.start({ url: service.url, timeout: "1m" });
  const leaving = new AbortController();
  const response = guarded.get("/", { signal: leaving.signal }).catch(() => "left");
  await until("the service is asked", () => service.requests.length === 1);
  leaving.abort();
  assertEquals(await response, "left");
  await until("the question is ended", () => service.open === 0, 10_000);
  assertEquals(guarded.reached, 0);
});

Deno.test("forward_auth uses connections again, and asks once more where a kept one had ended", async () => {
  await using service = ScriptedUpstream.start(async (peer, index) => {
    for (let count = 0; count < (index === 0 ? 2 : 10); count++) {
      if (await peer.request() === undefined) return;
      await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
  });
  await using guarded = await Guarded.start({ url: service.url });
  for (let count = 0; count < 6; count++) assert((await guarded.fieldsOf()).host);
  assertEquals([service.connections, service.requests.length], [2, 6]);
});

Deno.test("forward_auth speaks to a service over a unix socket", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/auth.sock`;
  const asked: string[] = [];
  const service = Deno.serve({ path, onListen: () => {} }, ({ url }) => {
    asked.push(new URL(url).pathname);
    return new Response(null, { status: 403 });
  });
  await using guarded = await Guarded.start({ url: `unix:${path}:/check` });
  const response = await guarded.get();
  await response.body?.cancel();
  assertEquals([response.status, asked], [403, ["/check"]]);
  await service.shutdown();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("forward_auth is asked before a WebSocket is opened upstream", async () => {
  await using guarded = await Guarded.start({ copy_headers: ["X-User"] });
  const open = () => {
    const socket = new WebSocket(`ws://127.0.0.1:${guarded.proxy.port}/`);
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.onmessage = ({ data }) => {
      resolve(data);
      socket.close();
    };
    socket.onerror = () => resolve("refused");
    return promise;
  };
  guarded.answer = () => ({ status: 401 });
  assertEquals([await open(), guarded.reached], ["refused", 0]);
  guarded.answer = () => ({ status: 200, headers: [["x-user", "ann"]] });
  assertEquals([await open(), guarded.reached], ["ann", 1]);
  assertEquals(guarded.questions.map(({ headers }) => headers.get("upgrade")), [null, null]);
});

Deno.test("forward_auth keeps a 2xx for the same credentials and URI, or for the same credentials", async () => {
  for (const [cache_by, count] of [["uri", 4], ["credentials", 3]] as const) {
    await using guarded = await Guarded.start({ cache: "1h", cache_by, copy_headers: ["X-User"] });
    guarded.answer = ({ headers }) => ({
      status: headers.get("cookie") === "bad" ? 403 : 200,
      headers: [["x-user", "a"]],
    });
    const get = async (path: string, headers: HeadersInit) => {
      const response = await guarded.get(path, { headers });
      return response.status === 200 ? (await response.json())["x-user"] : await response.text().then(() => "");
    };
    const good = { cookie: "s=1" };
    assertEquals([await get("/", good), await get("/", good), await get("/?x", good)], ["a", "a", "a"]);
    assertEquals([await get("/", { cookie: "bad" }), await get("/", { cookie: "bad" })], ["", ""]);
    assertEquals(guarded.questions.length, count, cache_by);
    // Requests without credentials are asked about each time.
    assertEquals([await get("/", {}), await get("/", {})], ["a", "a"]);
    assertEquals(guarded.questions.length, count + 2, cache_by);
  }
});

Deno.test("forward_auth whose service is the guarded site itself ends with an error, not in a loop", async () => {
  await using guarded = await Guarded.start();
  // The config's check does not see through another server.
  guarded.answer = async ({ headers }) => {
    const response = await guarded.get("/", { headers: { via: headers.get("via") ?? "" } });
    await response.body?.cancel();
    return { status: response.status };
  };
  const response = await guarded.get();
  await response.body?.cancel();
  assertEquals([response.status, guarded.questions.length, guarded.reached], [508, 1, 0]);
});

Deno.test("forward_auth takes URLs of services, and warns of keys without effect", () => {
  for (
    const url of ["http://a:1/x?y=z", "https://a.test", "http://[::1]:4180?x", "unix:/run/a.sock", "unix:/a.sock:/x?y"]
  ) {
    assertEquals(serviceUrlFault(url), undefined, url);
  }
  for (
    const url of [
      "a:1",
      "ftp://a/",
      "srv+http://a",
      "h2c://a",
      "http://u:p@a/",
      "http://a/ b",
      "http://a/#x",
      "unix:a",
      "/x",
    ]
  ) {
    assert(serviceUrlFault(url) !== undefined, url);
  }
  assertEquals(splitServiceUrl("http://a:1/x?y=z"), { address: "http://a:1", target: "/x?y=z" });
  assertEquals(splitServiceUrl("http://a?y"), { address: "http://a", target: "/?y" });
  assertEquals(splitServiceUrl("unix:/a.sock:/x"), { address: "unix:/a.sock", target: "/x" });
  const found: string[] = [];
  const note = (_: unknown, { message }: { message: string }) => void found.push(message);
  forwardAuth.check(
    forwardAuthKeys.parse({ url: "http://a/", cache_by: "credentials", ca_file: "x" }),
    { error: note, warning: note },
  );
  forwardAuth.check(forwardAuthKeys.parse({}), { error: note, warning: note });
  assertEquals([found.length, found[2]], [3, "forward_auth has no url"]);
  for (const name of ["Host", "Set-Cookie", "Content-Length", "Connection", "a b"]) {
    assert(!forwardAuthKeys.safeParse({ url: "http://a/", copy_headers: [name] }).success, name);
  }
});
