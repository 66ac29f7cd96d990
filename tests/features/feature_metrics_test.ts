// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { explain } from "../../lib/generation/explain.ts";
import { serverFamilies } from "../../lib/generation/metrics/families.ts";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { RunningProxy } from "../support/running_proxy.ts";

/** The samples of a metric. */
function samplesOf(proxy: RunningProxy, name: string): string[] {
  const text = new Exposition(serverFamilies({ generation: () => proxy.generation })).write("prometheus");
  return text.split("\n").filter((line) => line.startsWith(name)).map((line) => line.slice(name.length));
}

Deno.test("features count by the site and the route that has their table", async () => {
  const upstream = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("text ".repeat(2000), { headers: { "content-type": "text/plain" } }),
  );
  const routes = [
    { path: "/closed/", upstream: "app", access: { deny: ["all"] } },
    { path: "/later/", upstream: "app", maintenance: true },
    { path: "/", upstream: "app" },
  ];
  await using proxy = await RunningProxy.start({
    upstreams: [`http://127.0.0.1:${upstream.addr.port}`],
    proxy: { routes },
    site: { name: "shop", redirects: [{ from: "/old", to: "/new" }], compression: {} },
    metrics: true,
  });
  const base = `http://127.0.0.1:${proxy.port}`;
  const get = async (path: string) => {
    const response = await fetch(base + path, { redirect: "manual", headers: { "accept-encoding": "gzip" } });
    // To the end: who leaves before it ends the exchange.
    await response.arrayBuffer();
    return response.status;
  };
  assertEquals([await get("/closed/"), await get("/later/"), await get("/old"), await get("/")], [403, 503, 308, 200]);
  await proxy.idle();
  const request = { method: "GET", url: `${base}/closed/`, headers: new Headers(), client: "127.0.0.1" };
  await explain(proxy.generation, request, { ports: [proxy.port] });
  const ofSite = '{site="shop",route=""} ';
  assertEquals(samplesOf(proxy, "bws_access_denied_total"), ['{site="shop",route="/closed/"} 1']);
  assertEquals(samplesOf(proxy, "bws_maintenance_refused_total"), ['{site="shop",route="/later/"} 1']);
  assertEquals(samplesOf(proxy, "bws_redirects_total"), [`${ofSite}1`]);
  const [inBytes, outBytes] = ["in", "out"].map((which) => {
    const [sample] = samplesOf(proxy, `bws_compression_${which}_bytes_total`);
    assert(sample.startsWith(ofSite), sample);
    return Number(sample.slice(ofSite.length));
  });
  assert(inBytes >= 10_000 && outBytes > 0 && outBytes < inBytes / 10, `${inBytes} bytes became ${outBytes}`);
  // Of a feature without a table there is nothing.
  assertEquals(samplesOf(proxy, "bws_rate_limit_exceeded_total"), []);
  await upstream.shutdown();
});
