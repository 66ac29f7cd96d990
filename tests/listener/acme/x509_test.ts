/**
 * Certificates and requests of our own writing, read by OpenSSL.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { encodeBase64Url } from "../../../lib/listener/acme/base64.ts";
import { time } from "../../../lib/listener/acme/der.ts";
import { pem, pemBlocks } from "../../../lib/listener/acme/pem.ts";
import { type KeyType, SigningKey } from "../../../lib/listener/acme/signing_key.ts";
import { certificateRequest, issueCertificate, renewalIdentifier } from "../../../lib/listener/acme/x509.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";

async function openssl(args: string[], input: string): Promise<string> {
  const command = new Deno.Command("openssl", { args, stdin: "piped", stdout: "piped", stderr: "piped" });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(err);
  return out + err;
}

for (const type of ["p256", "p384", "rsa2048"] satisfies KeyType[]) {
  Deno.test(`certificateRequest() writes what OpenSSL verifies, with a key of kind ${type}`, async () => {
    const key = await SigningKey.generate(type);
    const names = ["shop.test", "*.shop.test", "192.0.2.1", "2001:db8::1"];
    const request = pem("CERTIFICATE REQUEST", await certificateRequest(names, key));
    const text = await openssl(["req", "-noout", "-verify", "-text"], request);
    assertStringIncludes(text, "verify OK");
    assertStringIncludes(text, "DNS:shop.test, DNS:*.shop.test, IP Address:192.0.2.1, IP Address:2001:DB8:");
  });
}

Deno.test("issueCertificate() issues what OpenSSL verifies for a server, and nothing that may issue others", async () => {
  const day = 86_400_000;
  const [notBeforeMs, notAfterMs] = [Date.now() - day, Date.now() + day];
  const issuerKey = await SigningKey.generate();
  const issuer = "BWS local authority";
  const common = { issuer, issuerKey, notBeforeMs };
  // Beyond 2049, where the form of times changes.
  const root = await issueCertificate({
    ...common,
    ...{ subject: issuer, names: [], key: issuerKey, notAfterMs: Date.UTC(2060, 0, 2, 3, 4, 5) },
  });
  const key = await SigningKey.generate();
  const names = ["localhost", "127.0.0.1"];
  const leaf = await issueCertificate({ ...common, subject: "localhost", names, key, notAfterMs });
  await inTemporaryFolder({ "root.pem": root, "leaf.pem": leaf }, async (folder) => {
    const verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", `${folder}/root.pem`];
    assertStringIncludes(
      await openssl([...verify, "-verify_hostname", "localhost", "-verify_ip", "127.0.0.1", `${folder}/leaf.pem`], ""),
      "OK",
    );
  });
  assertEquals(new X509Certificate(root).validTo, "Jan  2 03:04:05 2060 GMT");
  assertEquals(new X509Certificate(root).ca, true);
  assertEquals(new X509Certificate(leaf).ca, false);
  assertEquals(await SigningKey.read(await key.pem()).then((read) => read.jwk()), await key.jwk());
});

Deno.test("renewalIdentifier() is the key of the authority and the serial number, as they stand in the certificate", async () => {
  const key = await SigningKey.generate();
  const dates = { notBeforeMs: Date.now(), notAfterMs: Date.now() + 1000 };
  const chain = await issueCertificate({
    ...{ subject: "a", issuer: "b", names: ["a.test"], key, issuerKey: key, ...dates },
  });
  const text = await openssl(["x509", "-noout", "-serial", "-ext", "authorityKeyIdentifier"], chain);
  const [, serial] = /serial=([0-9A-F]+)/.exec(text) ?? [];
  const [, identifier] = /\n\s+(?:keyid:)?([0-9A-F:]{59})/.exec(text) ?? [];
  const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  assertEquals(
    renewalIdentifier(chain),
    `${encodeBase64Url(bytes(identifier.replaceAll(":", "")))}.${encodeBase64Url(bytes(serial))}`,
  );
});

Deno.test("time() changes its form in 2050", () => {
  const text = (ms: number) => new TextDecoder().decode(time(ms).subarray(2));
  assertEquals(text(Date.UTC(2049, 11, 31, 23, 59, 59, 999)), "491231235959Z");
  assertEquals(text(Date.UTC(2050, 0, 1)), "20500101000000Z");
});

Deno.test("pemBlocks() finds the blocks of a file, whatever stands between them", () => {
  const text = `# a comment\r\n${pem("CERTIFICATE", Uint8Array.of(1)).replaceAll("\n", "\r\n")}\nx\n${
    pem("PRIVATE KEY", new Uint8Array(100))
  }`;
  const blocks = pemBlocks(text);
  assertEquals(blocks.map(({ label, bytes }) => [label, bytes.length]), [["CERTIFICATE", 1], ["PRIVATE KEY", 100]]);
  assertEquals(blocks[0].text, "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n");
});
