/**
 * Handshakes of real clients with the own listener.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Certificates } from "../../support/certificates.ts";
import { until } from "../../support/condition.ts";
import { findsOpenssl, opensslClient } from "../../support/openssl.ts";
import { certificateOf, TlsListener } from "./tls_listener.ts";

const ignore = !await findsOpenssl("TLS of the own listener");
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name: `TLS listener: ${name}`, ignore, fn });

const certificates = ignore ? undefined : await Certificates.make("DNS:app.test,DNS:localhost,IP:127.0.0.1");
const app = certificates && certificateOf(certificates);
const others = certificates && certificateOf(await certificates.issue("wild", "DNS:*.wild.test"));
const caCerts = certificates && [Deno.readTextFileSync(certificates.caFile)];

async function get(port: number, hostname = "localhost", alpnProtocols = ["http/1.1"]): Promise<string> {
  const raw = await Deno.connect({ hostname: "127.0.0.1", port });
  const conn = await Deno.startTls(raw, { hostname, caCerts, alpnProtocols });
  await conn.write(new TextEncoder().encode(`GET /x HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`));
  return await new Response(conn.readable).text();
}

async function curl(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("curl", { args: ["-sS", "--max-time", "20", ...args] })
    .output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

test("a request has the scheme https and the session of its connection", async () => {
  await using server = new TlsListener({ "*": { certificate: app } });
  const [head, body] = (await get(server.port)).split("\r\n\r\n");
  assertMatch(head, /^HTTP\/1\.1 200 /);
  const { scheme, path, tls } = JSON.parse(body);
  assertEquals([scheme, path, tls.version, tls.serverName], ["https", "/x", "TLSv1.3", "localhost"]);
  assertEquals([tls.protocol, tls.resumed, tls.client], ["http/1.1", false, undefined]);
  assertMatch(tls.cipher, /^TLS13?_AES_256_GCM_SHA384$|^TLS_AES_\d+_GCM_SHA\d+$/);
  assertEquals(server.count("completed"), 1);
});

test("curl, over IPv4 and IPv6, gets the certificate of the name, and verifies it", async () => {
  await using server = new TlsListener({ "*": { certificate: app }, "*.wild.test": { certificate: others } });
  const { port } = server;
  const ca = ["--cacert", certificates!.caFile];
  for (const [name, address] of [["app.test", "127.0.0.1"], ["a.wild.test", "127.0.0.1"], ["app.test", "[::1]"]]) {
    const { code, text } = await curl(...ca, "--resolve", `${name}:${port}:${address}`, `https://${name}:${port}/`);
    assertEquals(code, 0, text);
    assertEquals(JSON.parse(text).tls.serverName, name);
  }
  // The certificate of another name, for a name that none is for.
  const x = ["--resolve", `x.test:${port}:127.0.0.1`, `https://x.test:${port}/`];
  assertEquals((await curl(...ca, ...x)).code, 60);
  // One whose authority the client does not know.
  assertEquals((await curl(...x)).code, 60);
  await until("the client's alert is counted", () => server.count("client_alert") === 1);
});

test("TLS 1.2 is spoken with an AEAD, TLS 1.1 and, with min_version, TLS 1.2 are refused by an alert", async () => {
  await using server = new TlsListener({
    "*": { certificate: app },
    "new.test": { certificate: app, minVersion: "TLSv1.3" },
  });
  const { port } = server;
  const old = await opensslClient(port, { args: ["-tls1_2"] });
  assertMatch(old.text, /Cipher is ECDHE-ECDSA-(AES\d+-GCM-SHA\d+|CHACHA20-POLY1305)/);
  assertStringIncludes(old.text, '"version":"TLSv1.2"');
  const refused = await opensslClient(port, { args: ["-tls1_1", "-cipher", "ALL@SECLEVEL=0"] });
  assertStringIncludes(refused.text, "alert protocol version");
  const newOnly = await opensslClient(port, { args: ["-tls1_2", "-servername", "new.test"] });
  assertStringIncludes(newOnly.text, "alert protocol version");
  const without = await opensslClient(port, { args: ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"] });
  assertStringIncludes(without.text, "alert handshake failure");
  assertEquals(server.count("incompatible"), 3);
});

test("a name that has no policy is refused by an alert; a name without a certificate too", async () => {
  await using server = new TlsListener({ "app.test": { certificate: app }, "later.test": {} });
  const { port } = server;
  const unknown = await opensslClient(port, { args: ["-servername", "unknown.test"] });
  assertStringIncludes(unknown.text, "unrecognized name");
  const none = await opensslClient(port, { args: ["-noservername"] });
  assertStringIncludes(none.text, "unrecognized name");
  const later = await opensslClient(port, { args: ["-servername", "later.test"] });
  assertStringIncludes(later.text, "alert internal error");
  assertEquals([server.count("unknown_name"), server.count("no_certificate")], [2, 1]);
});

test("a certificate that has to be obtained is waited for", async () => {
  const obtained = Promise.withResolvers<typeof app>();
  const asked: string[] = [];
  const source = {
    certificateFor: () => undefined,
    obtain(name: string) {
      asked.push(name);
      return name === "localhost" ? obtained.promise : Promise.resolve(undefined);
    },
  };
  await using server = new TlsListener({ "*": { certificates: source } });
  const waiting = get(server.port);
  await until("it is asked for", () => asked.length === 1);
  obtained.resolve(app);
  assertStringIncludes(await waiting, "200 OK");
  const refused = await opensslClient(server.port, { args: ["-servername", "other.test"] });
  assertStringIncludes(refused.text, "alert internal error");
  assertEquals(asked, ["localhost", "other.test"]);
});

test("a client that offers other protocols only is refused by an alert; one that offers none is not", async () => {
  await using server = new TlsListener({ "*": { certificate: app } });
  const refused = await opensslClient(server.port, { args: ["-alpn", "imap"] });
  assertStringIncludes(refused.text, "no application protocol");
  assertEquals(server.count("incompatible"), 1);
  const none = await opensslClient(server.port);
  assertStringIncludes(none.text, '"protocol":""');
  const both = await opensslClient(server.port, { args: ["-alpn", "imap,http/1.1"] });
  assertStringIncludes(both.text, '"protocol":"http/1.1"');
});

test("HTTP in clear gets a 400 that says so", async () => {
  await using server = new TlsListener({ "*": { certificate: app } });
  const { text } = await curl("-i", `http://127.0.0.1:${server.port}/`);
  assertStringIncludes(text, "HTTP/1.1 400 Bad Request");
  assertStringIncludes(text, "speaks HTTPS");
  await until("it is counted", () => server.count("clear_http") === 1);
});

test("what is not TLS gets an alert and is closed", async () => {
  await using server = new TlsListener({ "*": { certificate: app } });
  for (const bytes of [[0, 1, 2], [22, 2, 0], [22, 3, 1, 0, 4, 2, 0, 0, 0]]) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(Uint8Array.from(bytes));
    const answer = new Uint8Array(await new Response(conn.readable).arrayBuffer());
    assertEquals([...answer], [21, 3, 3, 0, 2, 2, 50]);
  }
  await until("all are counted", () => server.count("malformed") === 3);
});

test("garbage behind a complete ClientHello is refused by an alert", async () => {
  await using server = new TlsListener({ "*": { certificate: app } });
  const { port } = server;
  const { clientHello, inRecords } = await import("../../support/client_hello_bytes.ts");
  // Complete, and without what TLS 1.3 needs.
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(inRecords(clientHello({ serverName: "app.test", versions: [0x0304] })));
  const answer = new Uint8Array(await new Response(conn.readable).arrayBuffer());
  assertEquals([answer[0], answer.length], [21, 7]);
  await until("it is counted", () => server.count("incompatible") + server.count("malformed") === 1);
});

test("a certificate whose key does not match ends handshakes, not the process", async () => {
  const broken = { ...app!, key: others!.key };
  await using server = new TlsListener({
    "*": { certificate: broken },
    "app.test": { certificate: { ...app!, chain: "x" } },
  });
  for (const name of ["a.test", "app.test"]) {
    const { text } = await opensslClient(server.port, { args: ["-servername", name] });
    assertStringIncludes(text, "alert internal error");
  }
  assertEquals(server.count("internal"), 2);
});

for (const version of ["-tls1_2", "-tls1_3"]) {
  test(`sessions are resumed with ${version}, and after a reload with another certificate`, async () => {
    await using server = new TlsListener({ "*": { certificate: app } });
    const { port } = server;
    const file = `${certificates!.folder}/session${version}`;
    const args = [version, "-servername", "app.test"];
    const first = await opensslClient(port, { args: [...args, "-sess_out", file] });
    assertStringIncludes(first.text, '"resumed":false');
    const second = await opensslClient(port, { args: [...args, "-sess_in", file] });
    assertStringIncludes(second.text, '"resumed":true');
    server.reload({ "*": { certificate: others } });
    const third = await opensslClient(port, { args: [...args, "-sess_in", file] });
    assertStringIncludes(third.text, '"resumed":true');
    assertEquals([server.count("completed"), server.count("resumed")], [1, 2]);
    // For another name it is not.
    const other = await opensslClient(port, { args: [version, "-servername", "b.wild.test", "-sess_in", file] });
    assertStringIncludes(other.text, '"resumed":false');
  });
}

test("node and Python, where they are, get a response and end in order", async () => {
  await using server = new TlsListener({ "*": { certificate: app } });
  const programs: [string, string[]][] = [
    ["node", ["--input-type=module", "-e", NODE_CLIENT]],
    ["python3", ["-c", PYTHON_CLIENT]],
  ];
  for (const [program, args] of programs) {
    const command = new Deno.Command(program, { args: [...args, String(server.port), certificates!.caFile] });
    const output = await command.output().catch(() => undefined);
    // deno-lint-ignore no-console -- whoever reads the report must know
    if (output === undefined) console.warn(`${program} is missing`);
    else {
      const text = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
      assertEquals(text.trim(), "200 True https", program);
    }
  }
});

const NODE_CLIENT = `
import https from "node:https"; import fs from "node:fs";
const [port, ca] = process.argv.slice(1);
const agent = new https.Agent({ keepAlive: true, ca: fs.readFileSync(ca) });
const get = () => new Promise((resolve, reject) => https.get({ host: "localhost", port, family: 4, agent }, (response) => {
  let text = ""; response.on("data", (part) => text += part);
  response.on("end", () => resolve([response.statusCode, JSON.parse(text).scheme, response.socket]));
}).on("error", reject));
const [status, scheme, socket] = await get(); const [, , second] = await get();
console.log(status, socket === second ? "True" : "False", scheme); agent.destroy();
`;
const PYTHON_CLIENT = `
import ssl, socket, sys, json
context = ssl.create_default_context(cafile=sys.argv[2])
client = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
client.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
text = b""
while True:
  part = client.recv(4096)
  if not part: break
  text += part
client.unwrap()
print(text[9:12].decode(), b"200 OK" in text, json.loads(text.split(b"\\r\\n\\r\\n")[1])["scheme"])
`;

Deno.test({
  name: "TLS listener: the certificates of the tests are removed",
  ignore,
  fn: async () => {
    await certificates![Symbol.asyncDispose]();
    assert(true);
  },
});
