import { until } from "../support/condition.ts";
import { freePort, portIsFree } from "../support/port.ts";
import { ReloadedProxy, THREADS } from "../support/reloaded_proxy.ts";
import { configOf } from "../support/running_proxy.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

for (const [name, workers] of THREADS) {
  Deno.test(`reload() with ${name}: a port that is taken away is closed within shutdown_timeout, whoever drips`, async () => {
    await using upstream = TallyingUpstream.start({ name: "app" });
    // It answers nothing, so that the upload goes on.
    upstream.hold();
    const [kept, gone] = [freePort(), freePort()];
    const server = { shutdown_timeout: "1s", stream_close_delay: 0 };
    const one = configOf({ upstreams: [upstream.url], site: { name: "kept", port: kept }, server });
    const two = {
      ...one,
      sites: [...one.sites, ...configOf({ upstreams: [upstream.url], site: { name: "gone", port: gone } }).sites],
    };
    await using proxy = await ReloadedProxy.start(workers, two);
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: gone });
    const encoder = new TextEncoder();
    await conn.write(encoder.encode("POST /up HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"));
    const drip = setInterval(() => conn.write(encoder.encode("x")).catch(() => clearInterval(drip)), 20);
    await until("the upload is under way", () => proxy.inFlight === 1);
    await proxy.reload(one);
    await until("the port is closed", () => portIsFree(gone), 15_000);
    // The runtime keeps the connection for as long as its client sends, but nobody listens to it.
    await until("the upload is over", () => proxy.inFlight === 0, 15_000);
    clearInterval(drip);
    upstream.letGo();
    conn.close();
  });
}
