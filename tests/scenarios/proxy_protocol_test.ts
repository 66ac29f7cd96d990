/**
 * Upstreams that are told the client's address by the PROXY protocol: BWS itself, nginx, HAProxy and a scripted one.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Certificates } from "../support/certificates.ts";
import { until } from "../support/condition.ts";
import { header, text } from "../support/message_reader.ts";
import { startServerProgram } from "../support/peer_programs.ts";
import { freePort } from "../support/port.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const VERSIONS = ["v1", "v2"] as const;

/** A proxy in front of one upstream, that trusts X-Forwarded-For of this machine. */
function proxyTo(upstream: { url: string; proxy_protocol: "v1" | "v2"; tls?: Record<string, unknown> }) {
  return RunningProxy.start({ upstreams: [upstream], server: { trusted_proxies: ["127.0.0.1"] } });
}

/** An upstream that reads the line of version 1 in front of its requests, and responds with it. */
function lineUpstream() {
  const lines: string[] = [];
  const upstream = ScriptedUpstream.start(async (peer) => {
    const line = (await peer.request())?.firstLine;
    if (line === undefined) return;
    lines.push(line);
    await peer.send(answerOf(line));
    await peer.serve(() => answerOf(line));
  });
  return { lines, upstream };
}

for (const version of VERSIONS) {
  Deno.test(`BWS tells BWS the client's address by the PROXY protocol ${version}`, async () => {
    await using app = ScriptedUpstream.answering((request) => answerOf(header(request, "x-real-ip") ?? "none"));
    await using inner = await RunningProxy.start({
      upstreams: [app.url],
      site: { proxy_protocol: true },
      server: { trusted_proxies: ["127.0.0.1"], listener: "own" },
    });
    await using outer = await proxyTo({ url: `http://127.0.0.1:${inner.port}`, proxy_protocol: version });
    for (const address of ["203.0.113.9", "2001:db8::9"]) {
      const got = await exchange(outer.port, get("/", `X-Forwarded-For: ${address}\r\n`));
      assertEquals(text(got.body), address);
    }
    // The connection's own address is no proxy of its own.
    const plain = await exchange(outer.port, get("/"));
    assertEquals(text(plain.body), "127.0.0.1");
  });

  Deno.test(`nginx takes the client's address from the PROXY protocol ${version}, in front of TLS too`, async () => {
    await using certificates = await Certificates.make("IP:127.0.0.1");
    const [port, tlsPort] = [freePort(), freePort()];
    const files = { "cert.pem": certificates.cert, "key.pem": certificates.key };
    await inTemporaryFolder(files, async (folder) => {
      await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfig(folder, port, tlsPort));
      await using nginx = await startServerProgram("nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], port);
      if (nginx === undefined) return;
      const ways = [
        { url: `http://127.0.0.1:${port}` },
        { url: `https://127.0.0.1:${tlsPort}`, tls: { ca_file: certificates.caFile } },
        { url: `https://127.0.0.1:${tlsPort}`, tls: { insecure_skip_verify: true } },
      ];
      for (const way of ways) {
        await using proxy = await proxyTo({ ...way, proxy_protocol: version });
        using client = await RawClient.connect(proxy.port);
        const bodies: string[] = [];
        for (const lines of ["", "", "X-Forwarded-For: 203.0.113.9\r\n"]) {
          await client.send(get("/", lines));
          bodies.push(text((await client.answer()).body));
        }
        // The address and port of the client's connection, and how often nginx's connection was used.
        assertMatch(bodies[0], /^127\.0\.0\.1 [1-9]\d* 1$/);
        assertEquals(bodies[1], bodies[0].replace(/1$/, "2"));
        // nginx shows no port where it is 0.
        assertEquals(bodies[2], "203.0.113.9  1");
      }
    });
  });

  Deno.test(`HAProxy takes the client's address from the PROXY protocol ${version}`, async () => {
    const port = freePort();
    await inTemporaryFolder({ "haproxy.cfg": haproxyConfig(port) }, async (folder) => {
      await using haproxy = await startServerProgram("haproxy", ["-db", "-f", `${folder}/haproxy.cfg`], port);
      if (haproxy === undefined) return;
      await using proxy = await proxyTo({ url: `http://127.0.0.1:${port}`, proxy_protocol: version });
      const got = await exchange(proxy.port, get("/", "X-Forwarded-For: 203.0.113.9\r\n"));
      assertEquals(text(got.body), `203.0.113.9 to 127.0.0.1:${proxy.port}`);
      const six = await exchange(proxy.port, get("/", "X-Forwarded-For: 2001:db8::9\r\n"));
      assertMatch(text(six.body), /^2001:db8::9 to /);
    });
  });
}

Deno.test("a connection that names a client is used for that client alone, and again for it", async () => {
  const { lines, upstream } = lineUpstream();
  await using _ = upstream;
  await using proxy = await proxyTo({ url: upstream.url, proxy_protocol: "v1" });
  const clients = await Promise.all([RawClient.connect(proxy.port), RawClient.connect(proxy.port)]);
  const bodies: string[][] = [[], []];
  for (let round = 0; round < 3; round++) {
    for (const [i, client] of clients.entries()) {
      await client.send(get("/"));
      bodies[i].push(text((await client.answer()).body));
    }
  }
  for (const client of clients) client.close();
  assertEquals(upstream.connections, 2);
  assertEquals(lines.length, 2);
  for (const own of bodies) assertEquals(new Set(own).size, 1);
  assert(bodies[0][0] !== bodies[1][0]);
  assertMatch(bodies[0][0], new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 \\d+ ${proxy.port}$`));
});

Deno.test("at the same time, each client gets a connection that names it", async () => {
  const { upstream } = lineUpstream();
  await using _ = upstream;
  await using proxy = await proxyTo({ url: upstream.url, proxy_protocol: "v1" });
  await Promise.all(Array.from({ length: 150 }, async (_, i) => {
    const address = `203.0.113.${i}`;
    for (let round = 0; round < 3; round++) {
      const got = await exchange(proxy.port, get("/", `X-Forwarded-For: ${address}\r\n`));
      assertMatch(text(got.body), new RegExp(`^PROXY TCP4 ${address.replaceAll(".", "\\.")} `));
    }
  }));
});

Deno.test("probes say that they are BWS's own", async () => {
  const { lines, upstream } = lineUpstream();
  await using _ = upstream;
  await using proxy = await RunningProxy.start({
    upstreams: [{ url: upstream.url, proxy_protocol: "v1" }],
    proxy: { health_check: { path: "/health", interval: "50ms" } },
  });
  await until("there were probes", () => lines.length > 1);
  assertEquals(new Set(lines), new Set(["PROXY UNKNOWN"]));
  await until("the upstream is healthy", () => proxy.upstreams[0].available);
});

function nginxConfig(folder: string, port: number, tlsPort: number): string {
  return `
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  access_log off; default_type text/plain;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port} proxy_protocol; listen 127.0.0.1:${tlsPort} ssl proxy_protocol;
    ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
    location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $connection_requests"; }
  }
}`;
}

function haproxyConfig(port: number): string {
  return `
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend main
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] to %[dst]:%[dst_port]"
`;
}
