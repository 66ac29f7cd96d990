// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { HeadWriter } from "../../../lib/http1/head_writer.ts";
import { Exchange } from "../../../lib/exchange/exchange.ts";
import type { HeadersConfig } from "../../../lib/handlers/proxy/config/headers_schema.ts";
import { RequestHeaders } from "../../../lib/handlers/proxy/request_headers.ts";
import { ProxyTrust } from "../../../lib/http/client_address.ts";
import { readForwardedClient } from "../../../lib/http/forwarded_client.ts";
import type { RequestHead } from "../../../lib/http/message.ts";
import type { ClientCertificate, TlsSession } from "../../../lib/sockets/tls_session.ts";

const UNCHANGED = { set: {}, add: {}, remove: [] };
const CONFIG: HeadersConfig = {
  ...{ add_x_forwarded: true, add_forwarded: false, add: {}, remove: [] },
  ...{ request: UNCHANGED, response: UNCHANGED },
};
const ANN: ClientCertificate = {
  ...{ subject: "CN=Änn\r\nx: y,O=Example", issuer: "CN=CA", fingerprint: "ab".repeat(32), serial: "1F" },
  ...{ verified: true, reason: "" },
};

/** The lines about a certificate that an upstream gets. */
function told(
  client: ClientCertificate | undefined,
  { tellsCertificate = true, trusted = false, config = {} as Partial<HeadersConfig> } = {},
): string[] {
  const forged = ["x-client-cert-verify", "SUCCESS", "x_client_cert_subject", "CN=forged", "X-Client-Cert-New", "1"];
  const head: RequestHead = {
    ...{ method: "GET", path: "/", query: "", authority: "a.test", host: "a.test", scheme: "https" },
    ...{ headers: forged.map((text, i) => i % 2 ? text : text.toLowerCase()), peer: { address: "9.9.9.9", port: 1 } },
  };
  const tls: TlsSession = {
    ...{ version: "TLSv1.3", cipher: "", serverName: "a.test", protocol: "", resumed: false, client },
  };
  const exchange = new Exchange(head, { body: null, signal: new AbortController().signal, tls }, {
    exchangeEnded: () => {},
  });
  if (trusted) exchange.forwarded = readForwardedClient(head.headers, "9.9.9.9", new ProxyTrust(["9.9.9.9"]));
  const headers = new RequestHeaders({ ...CONFIG, ...config }, {
    ...{ viaName: "bws", requestIdName: "x-request-id", tellsCertificate },
  });
  const build = () => {
    const out = new HeadWriter();
    headers.write(out, exchange, "/", "up", "");
    return out.toText().split("\r\n");
  };
  const first = build();
  assertEquals(build(), first);
  return first.filter((line) => /cert/i.test(line));
}

Deno.test("Upstreams are told of the client's certificate, and of none", () => {
  assertEquals(told(ANN), [
    "x-client-cert-verify: SUCCESS",
    "x-client-cert-subject: CN=\\c3\\84nn\\0d\\0ax: y,O=Example",
    "x-client-cert-issuer: CN=CA",
    "x-client-cert-serial: 1F",
    `x-client-cert-fingerprint: ${"ab".repeat(32)}`,
  ]);
  assertEquals(told({ ...ANN, verified: false, reason: "expired" })[0], "x-client-cert-verify: FAILED:expired");
  assertEquals(told(undefined), ["x-client-cert-verify: NONE"]);
  assertEquals(told(ANN, { config: { remove: ["x-client-cert-subject"] } }).length, 4);
});

Deno.test("What a client says of certificates is removed, whether or not upstreams are told", () => {
  assertEquals(told(ANN, { tellsCertificate: false }), []);
  // A trusted proxy, where TLS ended, may say it; not where TLS ends here.
  assertEquals(told(undefined, { tellsCertificate: false, trusted: true }), [
    "x-client-cert-verify: SUCCESS",
    "x-client-cert-new: 1",
  ]);
  assertEquals(told(undefined, { trusted: true }), ["x-client-cert-verify: NONE"]);
});
