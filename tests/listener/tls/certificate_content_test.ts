// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { readCertificate } from "../../../lib/listener/tls/certificate_content.ts";
import { chainFault } from "../../../lib/listener/tls/client_chain.ts";
import { seededRandom } from "../../contract/seeded_random.ts";
import { Certificates } from "../../support/certificates.ts";
import { findsOpenssl } from "../../support/openssl.ts";

const ignore = !await findsOpenssl("Reading certificates of clients");
const CLIENT = "extendedKeyUsage=clientAuth\n";
const AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";

function derOf(of: Certificates, name: string): Uint8Array {
  return new Uint8Array(new X509Certificate(Deno.readTextFileSync(`${of.folder}/${name}.pem`)).raw);
}

async function shown(of: Certificates, name: string, ...what: string[]): Promise<string> {
  const args = ["x509", "-in", `${of.folder}/${name}.pem`, "-noout", ...what];
  const { stdout } = await new Deno.Command("openssl", { args }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test({
  name: "readCertificate() reads what openssl reads",
  ignore,
  async fn() {
    await using made = await Certificates.make("DNS:localhost");
    const subjects = [
      "/CN=ann",
      '/C=DE/ST=B/L=C/O=Exa\\, mple/OU=one+OU=two/CN=\\#1 "x" <y>; \\\\z',
      "/DC=org/DC=example/UID=u1/emailAddress=a@b.test/serialNumber=7/CN=last ",
      "/CN=line\nend",
    ];
    for (const [index, subject] of subjects.entries()) {
      const name = `subject${index}`;
      await made.issue(name, "", { subject, extensions: CLIENT });
      const read = readCertificate(derOf(made, name));
      // OpenSSL escapes as RFC 2253 has it, and hexadecimal digits in upper case.
      const expected = (await shown(made, name, "-subject", "-nameopt", "RFC2253,-esc_msb,utf8")).slice(
        "subject=".length,
      );
      assertEquals(read.subject.toLowerCase(), expected.toLowerCase());
      assertEquals(read.issuer, "CN=Test authority");
      const serial = (await shown(made, name, "-serial")).slice("serial=".length).toLowerCase();
      assertEquals(read.serial, serial);
      const end = (await shown(made, name, "-enddate", "-dateopt", "iso_8601")).slice("notAfter=".length);
      assertEquals(read.notAfterMs, Date.parse(end.replace(" ", "T")));
      assertEquals([read.ca, read.forClients, read.limited, read.pathLength], [false, true, false, Infinity]);
    }
    await made.issue("web", "DNS:a.test", { extensions: "extendedKeyUsage=serverAuth\n" });
    assertEquals(readCertificate(derOf(made, "web")).forClients, false);
    await made.issue("short", "", { extensions: "basicConstraints=critical,CA:TRUE,pathlen:2\n" });
    assertEquals([readCertificate(derOf(made, "short")).ca, readCertificate(derOf(made, "short")).pathLength], [
      true,
      2,
    ]);
    await made.issue("narrow", "", { extensions: `${AUTHORITY}nameConstraints=critical,permitted;DNS:a.test\n` });
    assertEquals(readCertificate(derOf(made, "narrow")).limited, true);
    await made.issue("unknown", "", { extensions: "1.2.3.4=critical,ASN1:UTF8String:x\n" });
    assertEquals(readCertificate(derOf(made, "unknown")).limited, true);
  },
});

Deno.test({
  name: "readCertificate() of what is broken throws a SyntaxError or reads something, and ends",
  ignore,
  async fn() {
    await using made = await Certificates.make("DNS:localhost");
    const der = derOf(made, "server");
    const random = seededRandom(3);
    let thrown = 0;
    for (let i = 0; i < 5000; i++) {
      const bytes = der.slice(0, random() < 0.3 ? Math.floor(random() * der.length) : der.length);
      for (let flips = 0; flips < 3; flips++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        readCertificate(bytes);
      } catch (error) {
        assert(error instanceof SyntaxError, String(error));
        thrown++;
      }
    }
    assert(thrown > 1000, String(thrown));
    assertThrows(() => readCertificate(new Uint8Array()), SyntaxError);
  },
});

Deno.test({
  name: "chainFault() finds an authority over intermediate ones, and accepts nothing else",
  ignore,
  async fn() {
    await using made = await Certificates.make("DNS:localhost");
    await using others = await Certificates.make("DNS:localhost");
    await made.issue("one", "", { extensions: AUTHORITY });
    await made.issue("two", "", { issuer: "one", extensions: AUTHORITY });
    await made.issue("leaf", "", { issuer: "two", extensions: CLIENT });
    await made.issue("last", "", { extensions: "basicConstraints=critical,CA:TRUE,pathlen:0\n" });
    await made.issue("beyond", "", { issuer: "last", extensions: AUTHORITY });
    await made.issue("far", "", { issuer: "beyond", extensions: CLIENT });
    await made.issue("narrow", "", { extensions: `${AUTHORITY}nameConstraints=critical,permitted;DNS:a.test\n` });
    await made.issue("limited", "", { issuer: "narrow", extensions: CLIENT });
    await made.issue("plain", "", { extensions: CLIENT });
    await made.issue("forged", "", { issuer: "plain", extensions: CLIENT });
    await made.issue("web", "", { extensions: "extendedKeyUsage=serverAuth\n" });
    await others.issue("eve", "", { extensions: CLIENT });
    const authorities = Deno.readTextFileSync(made.caFile);
    const fault = (...names: string[]) => chainFault(names.map((name) => derOf(made, name)), authorities);
    assertEquals([fault("plain"), fault("leaf", "two", "one"), fault("leaf", "one", "two")], ["", "", ""]);
    // An issuer is missing, may not issue what stands below it, or is no authority.
    for (
      const chain of [["leaf", "two"], ["leaf"], ["far", "beyond", "last"], ["limited", "narrow"], ["forged", "plain"]]
    ) {
      assertEquals(fault(...chain), "UNABLE_TO_GET_ISSUER_CERT", String(chain));
    }
    assertEquals(fault("web"), "INVALID_PURPOSE");
    assertEquals(fault("one"), "the certificate is an authority's");
    assertEquals(chainFault([derOf(others, "eve")], authorities), "UNABLE_TO_GET_ISSUER_CERT");
    const now = Date.now();
    assertEquals(chainFault([derOf(made, "plain")], authorities, now + 3 * 86_400_000), "CERT_HAS_EXPIRED");
    assertEquals(chainFault([derOf(made, "plain")], authorities, now - 86_400_000), "CERT_NOT_YET_VALID");
    assertEquals(chainFault([derOf(made, "plain")], "no certificate"), "UNABLE_TO_GET_ISSUER_CERT");
    assertEquals(chainFault([Uint8Array.of(1, 2, 3)], authorities), "the certificate cannot be read");
    // One that is listed itself.
    assertEquals(chainFault([derOf(others, "eve")], Deno.readTextFileSync(`${others.folder}/eve.pem`)), "");
  },
});
