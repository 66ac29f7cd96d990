// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createHash, X509Certificate } from "node:crypto";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { startServer } from "../../lib/process/server.ts";
import { startWorkers } from "../../lib/process/worker_server.ts";
import { Certificates } from "../support/certificates.ts";
import { until } from "../support/condition.ts";
import { freePort } from "../support/port.ts";

type SiteInput = ConfigInput["sites"][number];

/** An upstream that answers with what it was sent. */
function echo(respond: (request: Request) => Response) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, respond);
}

function siteFor(upstream: { addr: { port: number } }, { certFile, keyFile }: Certificates): SiteInput {
  return {
    ...{ hostname: "localhost", listen: "127.0.0.1", port: 0 },
    tls: { cert_file: certFile, key_file: keyFile, alpn: ["http/1.1"] },
    proxy: {
      upstreams: [{ name: "app", url: `http://127.0.0.1:${upstream.addr.port}` }],
      routes: [{ path: "/", upstream: "app" }],
    },
  };
}

Deno.test("An upstream is told https, and its Location and cookies lead to the client's address", async () => {
  await using made = await Certificates.make("DNS:localhost");
  await using upstream = echo(({ headers, url }) =>
    new Response(JSON.stringify([...headers].filter(([name]) => name.startsWith("x-forwarded"))), {
      status: new URL(url).pathname === "/move" ? 302 : 200,
      headers: { location: `http://127.0.0.1:${upstream.addr.port}/there`, "set-cookie": "a=b; Secure; Path=/" },
    })
  );
  const site = siteFor(upstream, made);
  const proxy = { ...site.proxy, preserve_host: false } as SiteInput["proxy"];
  const server = await startServer(resolveConfig({ sites: [{ ...site, proxy, hsts: true }] }).config);
  const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(made.caFile)] });
  try {
    const { port } = server.addresses[0];
    const response = await fetch(`https://localhost:${port}/move`, { client, redirect: "manual" });
    const fields = new Map<string, string>(JSON.parse(await response.text()));
    assertEquals(fields.get("x-forwarded-proto"), "https");
    assertEquals([fields.get("x-forwarded-host"), fields.get("x-forwarded-port")], [`localhost:${port}`, String(port)]);
    // Relative to the address that the client knows.
    assertEquals(response.headers.get("location"), "/there");
    assertEquals(response.headers.get("set-cookie"), "a=b; Secure; Path=/");
    assertEquals(response.headers.get("strict-transport-security"), "max-age=31536000");
  } finally {
    client.close();
    await server.stop();
  }
});

Deno.test("Clients that show a certificate are told of upstream, and clients that must and do not get no response", async () => {
  await using made = await Certificates.make("DNS:localhost");
  const ann = await made.issue("ann", "DNS:ann.test", { subject: "/O=Example/CN=ann" });
  const cert = await Deno.readTextFile(ann.certFile);
  await using upstream = echo(({ headers }) =>
    new Response(JSON.stringify([...headers].filter(([name]) => name.startsWith("x-client-cert"))))
  );
  const caCerts = [await Deno.readTextFile(made.caFile)];
  const site = siteFor(upstream, made);
  for (const mode of ["request", "require"] as const) {
    const tls = { ...site.tls as object, client_auth: { mode, ca_file: made.caFile, headers: true } };
    const server = await startServer(resolveConfig({ sites: [{ ...site, tls }] }).config);
    const known = Deno.createHttpClient({ caCerts, cert, key: await Deno.readTextFile(ann.keyFile) });
    const unknown = Deno.createHttpClient({ caCerts });
    const get = async (client: Deno.HttpClient) => {
      const url = `https://localhost:${server.addresses[0].port}/`;
      const response = await fetch(url, { client, headers: { "x-client-cert-subject": "CN=forged" } });
      return new Map<string, string>(await response.json());
    };
    try {
      const told = await get(known);
      assertEquals(told.get("x-client-cert-verify"), "SUCCESS");
      assertEquals([told.get("x-client-cert-subject"), told.get("x-client-cert-issuer")], [
        ...["CN=ann,O=Example", "CN=Test authority"],
      ]);
      const { raw } = new X509Certificate(cert);
      assertEquals(told.get("x-client-cert-fingerprint"), createHash("sha256").update(raw).digest("hex"));
      const refused = await get(unknown).catch((error: Error) => error);
      if (mode === "require") assertEquals(refused instanceof Error, true);
      else assertEquals([...refused as Map<string, string>], [["x-client-cert-verify", "NONE"]]);
    } finally {
      known.close();
      unknown.close();
      await server.stop();
    }
  }
});

Deno.test("A request in cleartext is redirected to the port of the site with TLS", async () => {
  await using made = await Certificates.make("DNS:localhost");
  await using upstream = echo(() => new Response("secret"));
  const [port, httpPort] = [freePort(), freePort()];
  const { config } = resolveConfig({
    acme: { http_port: httpPort },
    sites: [{ ...siteFor(upstream, made), port, redirect_to_https: true }],
  });
  const server = await startServer(config);
  const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(made.caFile)] });
  try {
    const url = `http://localhost:${httpPort}/a?b`;
    const response = await fetch(url, { client, redirect: "manual" });
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("location")], [308, `https://localhost:${port}/a?b`]);
    assertEquals(await (await fetch(url, { client })).text(), "secret");
  } finally {
    client.close();
    await server.stop();
  }
});

/** The certificate that a server sends, by openssl. */
async function shownBy(port: number): Promise<string> {
  const { stdout } = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost"],
    ...{ stdin: "null", stderr: "null" },
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("Workers use a certificate whose files have changed, and one that is broken changes nothing", async () => {
  await using made = await Certificates.make("DNS:localhost");
  await using upstream = echo(() => new Response("hello"));
  const server = await startWorkers(resolveConfig({ sites: [siteFor(upstream, made)] }).config, { workers: 2 });
  try {
    const { port } = server.addresses[0];
    assertStringIncludes(await shownBy(port), "s:CN = server");
    const other = await made.issue("other", "DNS:localhost");
    await Deno.copyFile(other.keyFile, made.keyFile);
    await Deno.copyFile(other.certFile, made.certFile);
    await until("the other certificate is sent", async () => (await shownBy(port)).includes("s:CN = other"));
    await Deno.writeTextFile(made.certFile, "broken");
    await server.reload(server.generation.config);
    assertStringIncludes(await shownBy(port), "s:CN = other");
  } finally {
    await server.stop();
  }
});
