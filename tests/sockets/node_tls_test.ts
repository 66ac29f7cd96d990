// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash, X509Certificate } from "node:crypto";
import { createServer, type TLSSocket } from "node:tls";
import { TransportFailure } from "../../lib/failure/failure.ts";
import { dial } from "../../lib/sockets/dial.ts";
import { type EndpointTls, parseEndpoint } from "../../lib/sockets/endpoint.ts";
import type { Socket } from "../../lib/sockets/socket.ts";
import { unseenWork } from "../../lib/state/unseen_work.ts";
import { Certificates } from "../support/certificates.ts";
import { until } from "../support/condition.ts";

/** A TLS server that asks for certificates of `ca` and tells its clients their subject. */
async function server(files: { cert: string; key: string; ca?: string }) {
  const server = createServer({ ...files, requestCert: files.ca !== undefined, rejectUnauthorized: true });
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.on("error", () => {});
    socket.write(String(socket.getPeerCertificate()?.subject?.CN));
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    endpoint: (tls: EndpointTls) => parseEndpoint(`https://127.0.0.1:${port}`, tls),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function fingerprintOf(pem: string): string {
  return createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
}

function firstText(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.handler = {
      received: (bytes, start, end) => resolve(new TextDecoder().decode(bytes.slice(start, end))),
      drained() {},
      ended: () => reject(new Error("The connection ended")),
      failed: reject,
    };
    socket.resume();
  });
}

async function opens(endpoint: ReturnType<typeof parseEndpoint>): Promise<void> {
  (await dial(endpoint, 30_000)).close();
}

async function reason(endpoint: ReturnType<typeof parseEndpoint>): Promise<string> {
  const failure = await assertRejects(() => dial(endpoint, 30_000), TransportFailure);
  assertEquals((failure as TransportFailure).kind, "connect");
  return failure.message;
}

Deno.test("dial() over TLS shows a certificate to an upstream that asks for one, and verifies the upstream's", async () => {
  await using made = await Certificates.make("IP:127.0.0.1,DNS:app.test");
  const client = await made.issue("client", "DNS:client.test");
  const ca = await Deno.readTextFile(made.caFile);
  const [cert, key] = await Promise.all([client.certFile, client.keyFile].map((path) => Deno.readTextFile(path)));
  await using peer = await server({ cert: made.cert, key: made.key, ca });
  const caCertificates = [ca];
  for (const serverName of [undefined, "app.test"]) {
    const socket = await dial(peer.endpoint({ caCertificates, cert, key, serverName }), 30_000);
    assertEquals(await firstText(socket), "client");
    socket.write(new TextEncoder().encode("bye"), "given");
    socket.close();
  }
  assertStringIncludes(
    await reason(peer.endpoint({ caCertificates, cert, key, serverName: "other.test" })),
    "altnames",
  );
  assertStringIncludes(await reason(peer.endpoint({ cert, key })), "certificate");
  await until("connects and writes count as ended", () => unseenWork.pending === 0);
});

Deno.test("dial() over TLS accepts the certificate of a fingerprint alone, whoever issued it", async () => {
  await using made = await Certificates.make("DNS:elsewhere.test");
  await using peer = await server({ cert: made.cert, key: made.key });
  await opens(peer.endpoint({ fingerprint: fingerprintOf(made.cert) }));
  const other = fingerprintOf(await Deno.readTextFile(made.caFile));
  assertStringIncludes(
    await reason(peer.endpoint({ fingerprint: other })),
    `the certificate has the fingerprint ${fingerprintOf(made.cert)}, expected ${other}`,
  );
});

Deno.test("dial() over TLS trusts a certificate that is in ca_file itself, for its names", async () => {
  await using made = await Certificates.make("IP:127.0.0.1");
  // As `openssl req -x509` makes them: self-signed, and with the mark of an authority.
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=self", "-days", "2"];
  const names = ["-addext", "subjectAltName=DNS:app.test,IP:127.0.0.1", "-keyout", "self.key", "-out", "self.pem"];
  const { success } = await new Deno.Command("openssl", { args: [...args, ...names], cwd: made.folder, stderr: "null" })
    .output();
  assertEquals(success, true);
  const [cert, key] = await Promise.all(
    ["self.pem", "self.key"].map((name) => Deno.readTextFile(`${made.folder}/${name}`)),
  );
  await using peer = await server({ cert, key });
  const endpoint = peer.endpoint({ caCertificates: [cert] });
  await opens(endpoint);
  await opens(endpoint);
  await opens(peer.endpoint({ caCertificates: [cert], serverName: "app.test" }));
  assertStringIncludes(await reason(peer.endpoint({ caCertificates: [cert], serverName: "other.test" })), "altnames");
  await reason(peer.endpoint({ caCertificates: [made.cert] }));
});
