// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { PortSnapshot } from "../../lib/admin/snapshot.ts";
import { NamedUpstream, RunningManagement } from "../admin/running_management.ts";
import { Certificates } from "../support/certificates.ts";
import { until } from "../support/condition.ts";
import { findsOpenssl } from "../support/openssl.ts";

const ignore = !await findsOpenssl("A port with TLS");

for (const workers of [1, 2]) {
  Deno.test({
    name: `A site with a certificate is served by https, and its handshakes are counted, ${workers} workers`,
    ignore,
    async fn() {
      await using certificates = await Certificates.make("DNS:localhost");
      const { certFile: cert_file, keyFile: key_file, caFile } = certificates;
      await using upstream = new NamedUpstream("app");
      await using running = await RunningManagement.start({
        ...{ upstreams: [upstream.url], workers, site: { tls: { cert_file, key_file } } },
      });
      const [{ port }] = running.server.addresses;
      const caCerts = [await Deno.readTextFile(caFile)];
      for (let i = 0; i < 4; i++) {
        using client = Deno.createHttpClient({ caCerts, http2: false });
        const response = await fetch(`https://localhost:${port}/`, { client });
        assertEquals([response.status, await response.text()], [200, "app"]);
      }
      const clear = await fetch(`http://localhost:${port}/`);
      assertEquals(clear.status, 400);
      assertStringIncludes(await clear.text(), "speaks HTTPS");
      const handshakes = async () =>
        ((await running.told("/api/status")).ports[0] as PortSnapshot).connections?.handshakes;
      await until("all are counted", async () => {
        const counts = await handshakes();
        return counts?.clear_http === 1 && counts.completed + counts.resumed === 4;
      });
      const metrics = await (await running.ask("/metrics")).text();
      const labels = `address="127.0.0.1",port="${port}"`;
      assertStringIncludes(metrics, `bws_tls_handshakes_total{${labels},result="clear_http"} 1\n`);
    },
  });
}
