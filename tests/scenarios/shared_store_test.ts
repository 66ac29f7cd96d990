/**
 * Two processes that share certificates by a Redis: who orders, who sees what the other has ordered, and what they serve
 * while the Redis is away.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { ProcessState } from "../../lib/generation/process_state.ts";
import { certificateSnapshots } from "../../lib/admin/certificate_snapshots.ts";
import { CertificateStores } from "../../lib/listener/acme/certificate_stores.ts";
import { LocalAuthority } from "../../lib/listener/acme/local_authority.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import type { ServerCertificate } from "../../lib/listener/tls/certificate.ts";
import { until } from "../support/condition.ts";
import { Pebble, pebbleIsMissing } from "../support/pebble.ts";
import { freePort } from "../support/port.ts";
import { Redis, redisIsMissing } from "../support/redis.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { tlsGet } from "../support/tls_client.ts";

/** A process, with a state of its own. */
class Process {
  readonly state: ProcessState;
  readonly port = freePort();
  #server: RunningServer | undefined;

  /** @param renewed Fingerprint of a certificate that is renewed at once. */
  constructor(renewed?: string) {
    const pauses = { authorityMs: 50, nameMs: 50, renewalMs: 0 };
    const renewalTime = ({ fingerprint, notAfterMs }: ServerCertificate) => fingerprint === renewed ? 0 : notAfterMs;
    this.state = new ProcessState({ issuesCertificates: { pauses, renewalTime, storePollMs: 30 } });
  }

  get fingerprint(): string | undefined {
    return this.state.certificates.certificateFor("shop.test")?.fingerprint;
  }

  get issued(): number {
    return this.state.certificateService?.orders.issued ?? 0;
  }

  /** The problem of the name, as operators see it. */
  get problem(): string {
    const snapshots = this.#server === undefined ? [] : certificateSnapshots(this.#server);
    return snapshots.find(({ name }) => name === "shop.test")?.problem?.message ?? "";
  }

  async start(input: ConfigInput, folder: string): Promise<void> {
    const site = { port: this.port, listen: "127.0.0.1", static_dir: folder };
    const sites: ConfigInput["sites"] = [
      { ...site, hostname: "shop.test", tls: "acme" },
      { ...site, hostname: "localhost", tls: "internal" },
    ];
    this.#server = await startServer(resolveConfig({ ...input, sites }).config, { processState: this.state });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
  }
}

Deno.test({
  name: "two processes with one Redis order and renew a name once, and serve while it is away",
  ignore: redisIsMissing || pebbleIsMissing,
}, async () => {
  await inTemporaryFolder({ "index.html": "over TLS" }, async (folder) => {
    await using pebble = await Pebble.start();
    pebble.name("shop.test");
    const redisPort = freePort();
    let redis = await Redis.start({ port: redisPort });
    const input = {
      logging: { access: false },
      server: { reuse_port: true },
      acme: { http_port: pebble.httpPort, directories: [{ url: pebble.directoryUrl, ca_file: pebble.caFile }] },
      store: { url: redis.url },
      sites: [{ static_dir: folder }],
    };
    // Certificates of the local authority are each process's own, so each issues one.
    const issued = (processes: readonly Process[]) => processes.reduce((sum, one) => sum + one.issued - 1, 0);
    try {
      await using one = new Process();
      await using other = new Process();
      await Promise.all([one, other].map((process) => process.start(input, folder)));
      await until("both have it", () => one.fingerprint !== undefined && other.fingerprint !== undefined, 20_000);
      assertEquals(one.fingerprint, other.fingerprint);
      assertEquals(issued([one, other]), 1);

      // Two more renew it at the same time; those before see it without an order.
      const before = one.fingerprint;
      const renewing = [new Process(before), new Process(before)];
      await using third = renewing[0];
      await using fourth = renewing[1];
      const all = [one, other, third, fourth];
      await Promise.all(renewing.map((process) => process.start(input, folder)));
      const seen = () => new Set(all.map(({ fingerprint }) => fingerprint));
      await until("all have the new one", () => seen().size === 1 && !seen().has(before), 20_000);
      assertEquals([issued([one, other]), issued([third, fourth])], [1, 1]);
      const ca = await pebble.root();
      for (const { port, fingerprint } of all) {
        const response = await tlsGet({ port, name: "shop.test", ca });
        assertEquals([response.body, response.fingerprint], ["over TLS", fingerprint]);
      }

      // They have one local authority.
      const stores = new CertificateStores();
      const root = await new LocalAuthority(await stores.of(resolveConfig(input).config)).certificate();
      stores.close();
      for (const { port } of all) {
        assertEquals((await tlsGet({ port, name: "localhost", ca: root })).body, "over TLS");
      }

      await redis[Symbol.asyncDispose]();
      await until("it is a problem", () => other.problem !== "", 20_000);
      assertStringIncludes(other.problem, `Cannot reach redis://127.0.0.1:${redisPort}/1: `);
      for (const { port } of all) {
        assertEquals((await tlsGet({ port, name: "shop.test", ca })).body, "over TLS");
      }
      redis = await Redis.start({ port: redisPort });
      await until("it is none any more", () => other.problem === "", 20_000);
    } finally {
      await redis[Symbol.asyncDispose]();
    }
  });
});
