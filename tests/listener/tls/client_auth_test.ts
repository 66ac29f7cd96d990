/**
 * Certificates of clients, in full handshakes and in sessions that are resumed, also after a reload.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ClientAuth } from "../../../lib/listener/tls/tls_policy.ts";
import type { ClientCertificate, TlsSession } from "../../../lib/sockets/tls_session.ts";
import { Certificates } from "../../support/certificates.ts";
import { until } from "../../support/condition.ts";
import { findsOpenssl, opensslClient } from "../../support/openssl.ts";
import { certificateOf, type NamePolicy, TlsListener } from "./tls_listener.ts";

const ignore = !await findsOpenssl("Client certificates");
const VERSIONS = ["-tls1_2", "-tls1_3"];

/** Two authorities, and certificates of clients that each has issued. */
class Clients {
  readonly ours: Certificates;
  readonly theirs: Certificates;
  readonly certificate: NamePolicy["certificate"];

  private constructor(ours: Certificates, theirs: Certificates) {
    this.ours = ours;
    this.theirs = theirs;
    this.certificate = certificateOf(ours);
  }

  static async make(): Promise<Clients> {
    const [ours, theirs] = await Promise.all([Certificates.make("DNS:localhost"), Certificates.make("DNS:localhost")]);
    const client = "extendedKeyUsage=clientAuth";
    await ours.issue("ann", "", { subject: "/C=DE/O=Exa\\, mple/CN=ann", extensions: client });
    await ours.issue("web", "", { extensions: "extendedKeyUsage=serverAuth" });
    await ours.issue("between", "", {
      extensions: "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=keyCertSign",
    });
    await ours.issue("below", "", { issuer: "between", extensions: client });
    await theirs.issue("eve", "", { extensions: client });
    return new Clients(ours, theirs);
  }

  /** Client authentication by the first authority, or the second. */
  auth(required: boolean, whose = this.ours): ClientAuth {
    return { required, authorities: Deno.readTextFileSync(whose.caFile) };
  }

  policy(clientAuth?: ClientAuth): NamePolicy {
    return { certificate: this.certificate, clientAuth };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ours[Symbol.asyncDispose]();
    await this.theirs[Symbol.asyncDispose]();
  }
}

/** Arguments for a client with a certificate. */
function as(of: Certificates, name: string): string[] {
  return ["-cert", `${of.folder}/${name}.pem`, "-key", `${of.folder}/${name}.key`];
}

/** The session that the server saw; undefined where it has not responded. */
function sessionIn(text: string): (TlsSession & { client?: ClientCertificate }) | undefined {
  const line = text.split("\n").find((one) => one.startsWith('{"scheme"'));
  return line === undefined ? undefined : JSON.parse(line).tls;
}

for (const version of VERSIONS) {
  const test = (name: string, fn: (clients: Clients) => Promise<void>) =>
    Deno.test({
      name: `Client certificates, ${version}: ${name}`,
      ignore,
      async fn() {
        await using clients = await Clients.make();
        await fn(clients);
      },
    });

  test("a site that requires one responds to no client without one that verifies", async (clients) => {
    const { ours, theirs } = clients;
    await using server = new TlsListener({ "*": clients.policy(clients.auth(true)) });
    const { port } = server;
    const none = await opensslClient(port, { args: [version] });
    assertEquals(sessionIn(none.text), undefined);
    assertMatch(none.text, /alert (certificate required|handshake failure)/);
    for (const args of [as(theirs, "eve"), as(ours, "web"), as(ours, "below")]) {
      assertEquals(sessionIn((await opensslClient(port, { args: [version, ...args] })).text), undefined, args[1]);
    }
    await until("all are counted", () => server.count("client_certificate") === 4);
    const { client } = sessionIn((await opensslClient(port, { args: [version, ...as(ours, "ann")] })).text) ?? {};
    assertEquals([client?.verified, client?.reason], [true, ""]);
    assertEquals([client?.subject, client?.issuer], ["CN=ann,O=Exa\\, mple,C=DE", "CN=Test authority"]);
    assertMatch(client?.fingerprint ?? "", /^[0-9a-f]{64}$/);
    assertMatch(client?.serial ?? "", /^[0-9a-f]{2,}$/);
  });

  test("an intermediate authority that the client sends is used", async (clients) => {
    const { ours } = clients;
    await using server = new TlsListener({ "*": clients.policy(clients.auth(true)) });
    const args = [version, ...as(ours, "below"), "-cert_chain", `${ours.folder}/between.pem`];
    const { client } = sessionIn((await opensslClient(server.port, { args })).text) ?? {};
    assertEquals([client?.verified, client?.subject, client?.issuer], [true, "CN=below", "CN=between"]);
  });

  test("a site that only asks for one tells what it got", async (clients) => {
    const { ours, theirs } = clients;
    await using server = new TlsListener({ "*": clients.policy(clients.auth(false)) });
    const ask = async (...args: string[]) =>
      sessionIn((await opensslClient(server.port, { args: [version, ...args] })).text)?.client;
    assertEquals(await ask(), undefined);
    assertEquals((await ask(...as(ours, "ann")))?.verified, true);
    const unverified = await ask(...as(theirs, "eve"));
    assertEquals([unverified?.verified, unverified?.subject], [false, "CN=eve"]);
    assertMatch(unverified?.reason ?? "", /^[A-Z_]+$/);
  });

  test("a session that is resumed is judged as the full handshake was", async (clients) => {
    const { ours, theirs } = clients;
    await using server = new TlsListener({ "*": clients.policy(clients.auth(false)) });
    for (const [of, name] of [[ours, "ann"], [theirs, "eve"]] as const) {
      const file = `${ours.folder}/${name}.session`;
      const args = [version, "-servername", "a.test", ...as(of, name)];
      const first = sessionIn((await opensslClient(server.port, { args: [...args, "-sess_out", file] })).text);
      const second = sessionIn((await opensslClient(server.port, { args: [...args, "-sess_in", file] })).text);
      assertEquals([first?.resumed, second?.resumed], [false, true]);
      assertEquals(second?.client, first?.client);
    }
  });

  test("a ticket from before a reload that turns them on does not get in", async (clients) => {
    const { ours } = clients;
    const file = `${ours.folder}/before.session`;
    await using server = new TlsListener({ "*": clients.policy() });
    const args = [version, "-servername", "a.test"];
    const first = await opensslClient(server.port, { args: [...args, "-sess_out", file] });
    assertEquals(sessionIn(first.text)?.resumed, false);
    server.reload({ "*": clients.policy(clients.auth(true)) });
    const second = await opensslClient(server.port, { args: [...args, "-sess_in", file] });
    assertEquals(sessionIn(second.text), undefined);
    assertStringIncludes(second.text, "Reused");
    await until("it is counted", () => server.count("client_certificate") === 1);
    // Where one is only asked for, it is a session without one.
    server.reload({ "*": clients.policy(clients.auth(false)) });
    const third = sessionIn((await opensslClient(server.port, { args: [...args, "-sess_in", file] })).text);
    assertEquals([third?.resumed, third?.client], [true, undefined]);
  });

  test("a ticket from before a reload with other authorities is judged by those", async (clients) => {
    const { ours, theirs } = clients;
    const file = `${ours.folder}/other.session`;
    await using server = new TlsListener({ "*": clients.policy(clients.auth(true)) });
    const args = [version, "-servername", "a.test", ...as(ours, "ann")];
    await opensslClient(server.port, { args: [...args, "-sess_out", file] });
    server.reload({ "*": clients.policy(clients.auth(true, theirs)) });
    const refused = await opensslClient(server.port, { args: [...args, "-sess_in", file] });
    assertEquals(sessionIn(refused.text), undefined);
    assertStringIncludes(refused.text, "Reused");
    // Both authorities: no full handshake has verified it for these.
    const both = {
      required: true,
      authorities: clients.auth(true, theirs).authorities + clients.auth(true).authorities,
    };
    server.reload({ "*": clients.policy(both) });
    const taken = sessionIn((await opensslClient(server.port, { args: [...args, "-sess_in", file] })).text);
    assertEquals([taken?.resumed, taken?.client?.verified], [true, true]);
  });

  test("a certificate that no authority vouches for is not verified by resuming", async (clients) => {
    const { ours, theirs } = clients;
    const file = `${ours.folder}/asked.session`;
    await using server = new TlsListener({ "*": clients.policy(clients.auth(false)) });
    const args = [version, "-servername", "a.test", ...as(theirs, "eve")];
    await opensslClient(server.port, { args: [...args, "-sess_out", file] });
    server.reload({ "*": clients.policy(clients.auth(true)) });
    const refused = await opensslClient(server.port, { args: [...args, "-sess_in", file] });
    assertEquals(sessionIn(refused.text), undefined);
    await until("it is counted", () => server.count("client_certificate") === 1);
  });
}
