/**
 * A browser over HTTP/2 and TLS: a page with many images, and a WebSocket on the same connection.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { Certificates } from "../support/certificates.ts";
import { findsChromium, launchChromium } from "../support/chromium.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";

const IMAGES = 100;

const PAGE = `<!doctype html><title>h2</title><script>
const images = Array.from({ length: ${IMAGES} }, (_, index) => new Promise((resolve) => {
  const image = new Image();
  image.onload = () => resolve("loaded");
  image.onerror = () => resolve("failed");
  image.src = "/image/" + index + ".svg";
}));
const socket = new Promise((resolve) => {
  const made = new WebSocket(location.origin.replace("http", "ws") + "/socket");
  made.onopen = () => made.send("hello");
  made.onmessage = ({ data }) => made.close(1000, data);
  made.onclose = ({ code, reason }) => resolve(code + " " + reason);
});
window.report = Promise.all([Promise.all(images), socket]).then(([loaded, closed]) => ({
  loaded: loaded.filter((state) => state === "loaded").length,
  closed,
  protocols: [...new Set(performance.getEntriesByType("resource").map(({ nextHopProtocol }) => nextHopProtocol))],
}));
</script>`;

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>';

function respond(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/image/")) return new Response(SVG, { headers: { "content-type": "image/svg+xml" } });
  if (pathname !== "/socket") return new Response(PAGE, { headers: { "content-type": "text/html" } });
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

Deno.test("Chromium gets a page with 100 images over HTTP/2, and a WebSocket on its connection", async () => {
  if (!await findsChromium("HTTP/2 in a browser")) return;
  await using certificates = await Certificates.make("DNS:localhost");
  await using upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, respond);
  await using proxy = await LoggedProxy.start({
    upstreams: [`http://127.0.0.1:${upstream.addr.port}`],
    proxy: { routes: [{ path: "/", upstream: "app", websocket: true }] },
    site: { hostname: "localhost", tls: { cert_file: certificates.certFile, key_file: certificates.keyFile } },
    server: { listener: "own" },
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(`https://localhost:${proxy.port}/`);
    const report = await page.evaluate("report");
    assertEquals(report, { loaded: IMAGES, closed: "1000 hello", protocols: ["h2"] });
    const { status, protocol } = await proxy.accessLine("/socket");
    assertEquals([status, protocol], [101, "HTTP/2.0"]);
  } finally {
    await browser.close();
  }
});
