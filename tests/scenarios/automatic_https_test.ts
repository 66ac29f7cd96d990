/**
 * HTTPS by itself, from end to end: BWS orders at pebble, which looks for challenges on BWS's own port, and serves with what
 * it gets.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { ProcessState } from "../../lib/generation/process_state.ts";
import { FolderStore } from "../../lib/listener/acme/folder_store.ts";
import { LocalAuthority } from "../../lib/listener/acme/local_authority.ts";
import type { CertificateTimes } from "../../lib/listener/acme/certificate_service.ts";
import { type RunningServer, startServer } from "../../lib/process/server.ts";
import { until } from "../support/condition.ts";
import { Pebble, pebbleIsMissing } from "../support/pebble.ts";
import { freePort } from "../support/port.ts";
import { WorkersProxy } from "../support/running_workers.ts";
import { TlsConnection, tlsGet } from "../support/tls_client.ts";

interface World {
  readonly pebble: Pebble;
  readonly folder: string;
  readonly port: number;
  readonly ca: string;
  config(names: readonly string[], more?: Partial<ConfigInput>): ConfigInput;
}

const ignore = pebbleIsMissing || Deno.build.os === "windows";

function withPebble(name: string, work: (world: World) => Promise<void>): void {
  Deno.test({ name, ignore }, async () => {
    await using pebble = await Pebble.start();
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/index.html`, "over TLS");
    const port = freePort();
    try {
      await work({
        ...{ pebble, folder, port, ca: await pebble.root() },
        config: (names, more) => ({
          logging: { access: false },
          acme: acmeOf(pebble, folder),
          sites: [{ hostnames: [...names], port, listen: "127.0.0.1", tls: "acme", static_dir: folder }],
          ...more,
        }),
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function acmeOf({ directoryUrl, caFile, httpPort }: Pebble, folder: string): ConfigInput["acme"] {
  return { storage: `${folder}/store`, http_port: httpPort, directories: [{ url: directoryUrl, ca_file: caFile }] };
}

/** A server in this thread, whose orders wait as long as the test says. */
async function serve(input: ConfigInput, times: CertificateTimes = {}): Promise<Served> {
  const { config } = resolveConfig(input);
  const processState = new ProcessState({ issuesCertificates: { pauses: QUICK, ...times } });
  const server = await startServer(config, { processState });
  return {
    ...{ server, processState },
    hasCertificate: (name) =>
      until(`${name} has a certificate`, () => processState.certificates.certificateFor(name) !== undefined, 20_000),
    [Symbol.asyncDispose]: async () => void await server.stop(),
  };
}

interface Served extends AsyncDisposable {
  readonly server: RunningServer;
  readonly processState: ProcessState;
  hasCertificate(name: string): Promise<void>;
}

const QUICK = { authorityMs: 50, nameMs: 50, renewalMs: 0 };

withPebble(
  "names of a site get certificates, a challenge is not redirected, and all else on port 80 is",
  async (world) => {
    const { pebble, port, ca } = world;
    const names = ["one.test", "two.test", "three.test"];
    for (const name of names) pebble.name(name);
    await using served = await serve(world.config(names));
    for (const name of names) await served.hasCertificate(name);
    const responses = await Promise.all(names.map((name) => tlsGet({ port, name, ca })));
    assertEquals(responses.map(({ status, body }) => [status, body]), names.map(() => [200, "over TLS"]));
    assertEquals(new Set(responses.map(({ fingerprint }) => fingerprint)).size, 3);
    const http = await fetch(`http://127.0.0.1:${pebble.httpPort}/a?b`, {
      redirect: "manual",
      headers: { host: names[0] },
    });
    assertEquals([http.status, await http.text()], [308, ""]);
    const token = `http://127.0.0.1:${pebble.httpPort}/.well-known/acme-challenge/no-order-has-this-token`;
    const unknown = await fetch(token, { redirect: "manual" });
    await unknown.body?.cancel();
    assertEquals(unknown.status, 404);
  },
);

withPebble("with workers one thread orders, and each worker responds and serves", async (world) => {
  const { pebble, port, ca } = world;
  pebble.name("shop.test");
  const proxy = await WorkersProxy.of(3, world.config(["shop.test"]));
  try {
    const { certificates, certificateService } = proxy.server.generation.processState;
    await until("it has a certificate", () => certificates.certificateFor("shop.test") !== undefined, 20_000);
    const fingerprint = certificates.certificateFor("shop.test")?.fingerprint;
    await until("each worker has it", async () => {
      const seen = await Promise.allSettled(Array.from({ length: 12 }, () => tlsGet({ port, name: "shop.test", ca })));
      return seen.every((one) => one.status === "fulfilled" && one.value.fingerprint === fingerprint);
    });
    assertEquals(certificateService?.orders, { issued: 1, failed: 0 });
  } finally {
    await proxy.server.stop();
  }
});

withPebble("a renewal under load fails no request, and is used from the next handshake on", async (world) => {
  const { pebble, port, ca } = world;
  pebble.name("shop.test");
  let renews = true;
  const renewalTime = () => renews ? Date.now() + 300 : Infinity;
  await using served = await serve(world.config(["shop.test"]), { renewalTime });
  await served.hasCertificate("shop.test");
  const seen = new Set<string>();
  let requests = 0;
  const client = async () => {
    const kept = await TlsConnection.open({ port, name: "shop.test", ca });
    const before = kept.fingerprint;
    while (seen.size < 5) {
      const { status, fingerprint } = await tlsGet({ port, name: "shop.test", ca });
      const again = await kept.get();
      assertEquals([status, again.status, again.fingerprint], [200, 200, before]);
      seen.add(fingerprint);
      requests += 2;
    }
    await kept.close();
  };
  await Promise.all(Array.from({ length: 4 }, client));
  renews = false;
  assertEquals(requests > 20, true, `${requests} requests`);
});

withPebble("two processes on one storage order a name once", async (world) => {
  const { pebble, ca } = world;
  pebble.name("shop.test");
  const [one, other] = [freePort(), freePort()];
  const config = (port: number): ConfigInput => ({
    ...world.config([]),
    sites: [{ hostname: "shop.test", port, listen: "127.0.0.1", tls: "acme", static_dir: world.folder }],
    server: { reuse_port: true },
  });
  await using first = await serve(config(one));
  await using second = await serve(config(other));
  await first.hasCertificate("shop.test");
  await second.hasCertificate("shop.test");
  const [a, b] = await Promise.all([one, other].map((port) => tlsGet({ port, name: "shop.test", ca })));
  assertEquals(a.fingerprint, b.fingerprint);
  const issued = [first, second].map(({ processState }) => processState.certificateService?.orders.issued ?? 0);
  assertEquals(issued.reduce((sum, count) => sum + count, 0), 1);
});

withPebble("a start uses what is kept, and orders nothing", async (world) => {
  const { pebble, port, ca } = world;
  pebble.name("shop.test");
  let fingerprint: string;
  {
    await using served = await serve(world.config(["shop.test"]));
    await served.hasCertificate("shop.test");
    fingerprint = (await tlsGet({ port, name: "shop.test", ca })).fingerprint;
  }
  await using again = await serve(world.config(["shop.test"]));
  assertEquals((await tlsGet({ port, name: "shop.test", ca })).fingerprint, fingerprint);
  assertEquals(again.processState.certificateService?.orders, { issued: 0, failed: 0 });
});

Deno.test(
  { name: "an authority that is down keeps no other site from serving, and is asked again", ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/index.html`, "over TLS");
    const [port, directoryPort, httpPort] = [freePort(), freePort(), freePort()];
    const acme = {
      storage: `${folder}/store`,
      http_port: httpPort,
      directories: [{ url: `https://127.0.0.1:${directoryPort}/dir` }],
    };
    const site = { port, listen: "127.0.0.1", static_dir: folder };
    const config = (caFile?: string): ConfigInput => ({
      logging: { access: false },
      acme: { ...acme, directories: acme.directories.map((one) => ({ ...one, ca_file: caFile })) },
      sites: [{ ...site, hostname: "shop.test", tls: "acme" }, { ...site, hostname: "localhost", tls: "internal" }],
    });
    try {
      await using served = await serve(config());
      const ca = await new LocalAuthority(new FolderStore(`${folder}/store`)).certificate();
      assertEquals((await tlsGet({ port, name: "localhost", ca })).body, "over TLS");
      await assertRejects(() => tlsGet({ port, name: "shop.test", ca }));
      const { certificateService } = served.processState;
      const problem = () => certificateService?.status.find(({ name }) => name === "shop.test")?.problem;
      await until("the order has failed", () => problem() !== undefined && problem() !== null);
      assertStringIncludes(
        problem()?.message ?? "",
        `127.0.0.1:${directoryPort}: Cannot reach 127.0.0.1:${directoryPort}: `,
      );
      await using pebble = await Pebble.start({ port: directoryPort, httpPort });
      pebble.name("shop.test");
      await served.server.reload(resolveConfig(config(pebble.caFile)).config);
      await served.hasCertificate("shop.test");
      assertEquals((await tlsGet({ port, name: "shop.test", ca: await pebble.root() })).body, "over TLS");
      assertEquals(problem(), null);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

withPebble(
  "a wildcard gets its certificate by DNS-01, through a command, and no port is opened for it",
  async (world) => {
    const { pebble, port, ca, folder } = world;
    // The zone of the test: the command sets its record over HTTP.
    const calls: string[] = [];
    const zone = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const [action, name, text] = new URL(request.url).pathname.slice(1).split("/");
      calls.push(`${action} ${name}`);
      pebble.dns.set(name, "TXT", action === "present" ? [{ type: "TXT", text, ttlSeconds: 1 }] : "NXDOMAIN");
      return new Response();
    });
    const script = `#!/bin/sh\nexec curl -sf "http://127.0.0.1:${zone.addr.port}/$1/$2/$3"\n`;
    await Deno.writeTextFile(`${folder}/dns.sh`, script, { mode: 0o755 });
    const acme = { ...acmeOf(pebble, folder), dns_command: [`${folder}/dns.sh`], propagation_delay: 0 };
    const input = {
      ...world.config(["*.shop.test"], { acme }),
      sites: [{
        ...{ hostnames: ["*.shop.test"], port, listen: "127.0.0.1", static_dir: folder, redirect_to_https: false },
        tls: "acme" as const,
      }],
    };
    {
      await using served = await serve(input);
      await served.hasCertificate("*.shop.test");
      assertEquals((await tlsGet({ port, name: "a.shop.test", ca })).status, 200);
      assertEquals(served.server.addresses.length, 1);
    }
    assertEquals(calls, ["present _acme-challenge.shop.test", "cleanup _acme-challenge.shop.test"]);
    await zone.shutdown();
  },
);

withPebble("a name gets its certificate while the first client waits for it, if the URL allows it", async (world) => {
  const { pebble, port, ca, folder } = world;
  const ask = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const allowed = new URL(request.url).searchParams.get("domain")?.endsWith(".customers.test") === true;
    return new Response(null, { status: allowed ? 204 : 403 });
  });
  const input: ConfigInput = {
    ...world.config([]),
    acme: { ...acmeOf(pebble, folder), on_demand: { ask: `http://127.0.0.1:${ask.addr.port}/` } },
    sites: [{ port, listen: "127.0.0.1", static_dir: folder, tls: { on_demand: true, issuer: "acme" } }],
  };
  for (const [what, start] of [["one thread", startInThread], ["workers", startInWorkers]] as const) {
    await using _running = await start(input);
    const name = `${what.replace(" ", "-")}.customers.test`;
    pebble.name(name);
    const { status, fingerprint } = await tlsGet({ port, name, ca });
    assertEquals(status, 200, what);
    assertEquals((await tlsGet({ port, name, ca })).fingerprint, fingerprint);
    await assertRejects(() => tlsGet({ port, name: "other.test", ca }));
  }
  await ask.shutdown();
});

async function startInThread(input: ConfigInput): Promise<AsyncDisposable> {
  return await serve(input);
}

async function startInWorkers(input: ConfigInput): Promise<AsyncDisposable> {
  const proxy = await WorkersProxy.of(2, input);
  return { [Symbol.asyncDispose]: async () => void await proxy.server.stop() };
}
