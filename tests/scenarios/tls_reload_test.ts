/**
 * Certificates that are swapped by reloads while clients are served: over connections that are kept and over new ones, by
 * HTTP/1.1 and HTTP/2, no request fails. BWS_TLS_REQUESTS says how many there are; by default a few hundred.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { Config } from "../../lib/generation/config/config_types.ts";
import { startServer } from "../../lib/process/server.ts";
import { Certificates } from "../support/certificates.ts";
import { findsOpenssl } from "../support/openssl.ts";
import { freePort } from "../support/port.ts";

const ignore = !await findsOpenssl("Reloads of certificates");
const REQUESTS = Number(Deno.env.get("BWS_TLS_REQUESTS") ?? 400);
/** Between two reloads, where the machine is quick enough. */
const SWAP_MS = 100;
const CLIENTS = 4;

Deno.test({
  name: "Certificates are swapped by reloads without a failed request, over kept and new connections",
  ignore,
  async fn() {
    await using certificates = await Certificates.make("DNS:localhost");
    await using folder = await temporaryFolder();
    await Deno.writeTextFile(`${folder.path}/index.html`, "fine");
    const second = await certificates.issue("second", "DNS:localhost");
    const port = freePort();
    const configs = [certificates, second].map(({ certFile: cert_file, keyFile: key_file }): Config =>
      resolveConfig({
        sites: [{ name: "app", port, tls: { cert_file, key_file }, static_dir: folder.path }],
      }).config
    );
    const server = await startServer(configs[0]);
    const caCerts = [await Deno.readTextFile(certificates.caFile)];
    let swaps = 0;
    let requests = 0;
    let loading = true;
    const swapping = (async () => {
      while (loading) {
        const nextMs = performance.now() + SWAP_MS;
        await server.reload(configs[++swaps % 2]);
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs - performance.now())));
      }
    })();
    const ask = async (client: Deno.HttpClient) => {
      const response = await fetch(`https://localhost:${port}/`, { client });
      assertEquals([response.status, await response.text()], [200, "fine"]);
      requests++;
    };
    const clients: Promise<void>[] = [];
    for (let i = 0; i < CLIENTS; i++) {
      const http = { caCerts, http1: i % 2 === 0, http2: i % 2 === 1 };
      clients.push((async () => {
        using kept = Deno.createHttpClient(http);
        while (requests < REQUESTS) await ask(kept);
      })());
      clients.push((async () => {
        while (requests < REQUESTS) {
          using once = Deno.createHttpClient(http);
          await ask(once);
        }
      })());
    }
    try {
      await Promise.all(clients);
    } finally {
      loading = false;
      await swapping;
      await server.stop();
    }
    assert(swaps > 1 && requests >= REQUESTS, `${requests} requests, ${swaps} swaps`);
    // deno-lint-ignore no-console -- whoever asked for more wants to know
    if (REQUESTS > 1000) console.log(`${requests} requests, ${swaps} swaps`);
  },
});

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
