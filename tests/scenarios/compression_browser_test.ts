/**
 * A browser that reads compressed pages and events, and pages of one origin that ask another one (CORS).
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { findsChromium, launchChromium } from "../support/chromium.ts";
import { RunningProxy } from "../support/running_proxy.ts";

const TEXT = "a line of a page\n".repeat(2000);
const EVENTS = 3;

/** The page asks its own origin, and the one in its query. */
const PAGE = `<!doctype html><title>asks</title><script>
async function coding(path) {
  const response = await fetch(path);
  const text = await response.text();
  return [response.headers.get("content-encoding"), text.length];
}
function events() {
  return new Promise((resolve) => {
    const seen = [];
    const source = new EventSource("/events");
    source.onmessage = async ({ data }) => {
      seen.push(data);
      // The next event is sent once this one was seen.
      if (seen.length < ${EVENTS}) return void await fetch("/seen", { method: "POST", body: data });
      source.close();
      resolve(seen);
    };
  });
}
async function across(path, init = {}) {
  try {
    const response = await fetch(new URLSearchParams(location.search).get("other") + path, init);
    return [response.status, response.headers.get("x-shown"), response.headers.get("x-hidden"), await response.text()];
  } catch (error) {
    return error.name;
  }
}
</script>`;

Deno.test("Chromium reads zstd, br, gzip and events piece by piece, and other origins as CORS lets it", async () => {
  if (!await findsChromium("compression and CORS in a browser")) return;
  let seen = Promise.withResolvers<void>();
  const methods: string[] = [];
  await using upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/seen") {
      await request.body?.cancel();
      seen.resolve();
      return new Response();
    }
    if (pathname === "/events") return new Response(events(), { headers: { "content-type": "text/event-stream" } });
    if (pathname === "/page") return new Response(PAGE, { headers: { "content-type": "text/html" } });
    if (!pathname.startsWith("/api/")) return new Response(TEXT, { headers: { "content-type": "text/plain" } });
    methods.push(`${request.method} ${request.headers.get("cookie") ?? ""}`);
    return new Response(pathname === "/api/fails" ? "failed" : "done", {
      status: pathname === "/api/fails" ? 503 : 200,
      headers: {
        ...{ "x-shown": "1", "x-hidden": "2", "access-control-allow-origin": "*" },
        ...(pathname === "/api/login" ? { "set-cookie": "s=1; Path=/" } : {}),
      },
    });
  });
  /** Each event is sent once the browser has said that it has the one before. */
  function events(): ReadableStream<Uint8Array> {
    let sent = 0;
    return new ReadableStream({
      async pull(controller) {
        if (sent > 0) await seen.promise;
        seen = Promise.withResolvers();
        controller.enqueue(new TextEncoder().encode(`data: event ${++sent}\n\n`));
        if (sent === EVENTS) controller.close();
      },
    }, { highWaterMark: 0 });
  }
  const url = `http://127.0.0.1:${upstream.addr.port}`;
  const only = (coding: "zstd" | "br" | "gzip") => ({
    ...{ path: `/${coding}`, upstream: "app", exact: true },
    compression: { algorithms: [coding] },
  });
  // Chromium takes br and zstd from secure origins alone, which localhost is.
  await using pages = await RunningProxy.start({
    upstreams: [url],
    site: { compression: {}, hostname: "localhost" },
    proxy: { routes: [only("zstd"), only("br"), only("gzip"), { path: "/", upstream: "app" }] },
  });
  const origin = `http://localhost:${pages.port}`;
  await using other = await RunningProxy.start({
    upstreams: [url],
    site: {
      cors: {
        ...{ origins: [origin], methods: ["GET", "PUT"], headers: ["X-Sent"], exposed_headers: ["X-Shown"] },
        credentials: true,
      },
    },
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const ask = (script: string) => page.evaluate(script);
    await page.goto(`${origin}/page?other=http://localhost:${other.port}`);
    for (const coding of ["zstd", "br", "gzip"]) {
      assertEquals(await ask(`coding("/${coding}")`), [coding, TEXT.length]);
    }
    assertEquals(await ask("events()"), ["event 1", "event 2", "event 3"]);

    // Credentials, a preflight for method and field, exposed fields, errors of the upstream.
    assertEquals(await ask(`across("/api/login", { credentials: "include" })`), [200, "1", null, "done"]);
    const put = `{ method: "PUT", headers: { "X-Sent": "1" }, credentials: "include" }`;
    assertEquals(await ask(`across("/api/put", ${put})`), [200, "1", null, "done"]);
    assertEquals(await ask(`across("/api/fails")`), [503, "1", null, "failed"]);
    assertEquals(methods, ["GET ", "PUT s=1", "GET "]);
    // What the preflight refuses never reaches the upstream.
    assertEquals(await ask(`across("/api/x", { method: "DELETE" })`), "TypeError");
    assertEquals(await ask(`across("/api/x", { headers: { "X-Other": "1" } })`), "TypeError");
    assertEquals(methods.length, 3);

    // A page of an origin that is not let in, through the same site.
    const stranger = `http://127.0.0.1:${pages.port}`;
    await page.goto(`${stranger}/page?other=http://localhost:${other.port}`);
    assertEquals(await ask(`across("/api/read")`), "TypeError");
    assertEquals(await ask(`across("/api/put", ${put})`), "TypeError");
    assertEquals(methods.slice(3), ["GET "]);
  } finally {
    await browser.close();
  }
});
