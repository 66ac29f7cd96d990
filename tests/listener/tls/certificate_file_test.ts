// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type CertificateFault, readCertificate } from "../../../lib/listener/tls/certificate_file.ts";
import { Certificates } from "../../support/certificates.ts";

const RSA_1024 = ["-newkey", "rsa:1024", "-nodes"];

function sentences(faults: readonly CertificateFault[]): string[] {
  return faults.map(({ key, severity, line, message }) => `${severity} ${key} ${line}: ${message}`);
}

Deno.test("A certificate with its key is read: names, issuer, fingerprint, times", async () => {
  await using made = await Certificates.make("DNS:A.test,DNS:*.b.test,IP:127.0.0.1,IP:::1");
  const { certificate, faults } = readCertificate({ cert_file: made.certFile, key_file: made.keyFile });
  assertEquals(faults, []);
  assert(certificate !== undefined);
  assertEquals(certificate.names, ["a.test", "*.b.test", "127.0.0.1", "::1"]);
  assertEquals([certificate.issuer, certificate.origin], ["CN=Test authority", "file"]);
  assertEquals(/^[0-9a-f]{64}$/.test(certificate.fingerprint), true);
  assert(Math.abs(certificate.notBeforeMs - Date.now()) < 600_000);
  assertEquals(certificate.notAfterMs - certificate.notBeforeMs, 2 * 86_400_000);
});

Deno.test("Certificate and key may be in one file", async () => {
  await using made = await Certificates.make("DNS:a.test");
  const file = `${made.folder}/both.pem`;
  await Deno.writeTextFile(file, made.key + made.cert);
  const { certificate, faults } = readCertificate({ cert_file: file, key_file: file });
  assertEquals([faults, certificate?.chain, certificate?.key], [[], made.cert, made.key]);
});

Deno.test("What could not work is an error, with file and line", async () => {
  await using made = await Certificates.make("DNS:a.test");
  const other = await made.issue("other", "DNS:b.test");
  const read = async (cert: string, key: string) => {
    await Deno.writeTextFile(`${made.folder}/c.pem`, cert);
    await Deno.writeTextFile(`${made.folder}/k.pem`, key);
    const { certificate, faults } = readCertificate({
      cert_file: `${made.folder}/c.pem`,
      key_file: `${made.folder}/k.pem`,
    });
    if (sentences(faults).some((text) => text.startsWith("error"))) assertEquals(certificate, undefined);
    return sentences(faults);
  };
  assertEquals(await read("", ""), [
    "error cert_file 0: holds no certificate",
    "error key_file 0: holds no private key",
  ]);
  assertEquals(await read(made.key, made.cert), [
    "error cert_file 0: holds no certificate",
    "error key_file 0: holds no private key",
  ]);
  const garbage = (label: string) => `# comment\n-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
  assertEquals(await read(garbage("CERTIFICATE"), garbage("PRIVATE KEY")), [
    "error cert_file 2: has a certificate that cannot be read",
    "error key_file 2: has a key that cannot be read",
  ]);
  assertEquals(await read(made.cert, await Deno.readTextFile(other.keyFile)), [
    "error key_file 0: has not the key of the certificate in cert_file",
  ]);
  const lines = made.cert.trimEnd().split("\n").length;
  const otherCert = await Deno.readTextFile(other.certFile);
  assertEquals(await read(made.cert + otherCert, await Deno.readTextFile(other.keyFile)), [
    `error cert_file ${lines + 1}: has the certificate of the key behind others`,
    `warning cert_file ${
      lines + 1
    }: has a certificate that did not issue the one before it: some clients will not find the way to an authority`,
  ]);
  const encrypted = new Deno.Command("openssl", {
    args: ["pkcs8", "-topk8", "-in", made.keyFile, "-passout", "pass:secret"],
  }).outputSync();
  assertEquals(await read(made.cert, new TextDecoder().decode(encrypted.stdout)), [
    "error key_file 1: has a key that is encrypted with a password",
  ]);
  assertEquals(sentences(readCertificate({ cert_file: "/nowhere", key_file: made.folder }).faults).length, 2);
});

Deno.test("A weak key is an error; a weak signature and a wrong time are warnings", async () => {
  await using made = await Certificates.make("DNS:a.test");
  const read = async (name: string, options: Parameters<Certificates["issue"]>[2], nowMs?: number) => {
    const { certFile, keyFile } = await made.issue(name, "DNS:a.test", options);
    return sentences(readCertificate({ cert_file: certFile, key_file: keyFile }, { nowMs }).faults);
  };
  assertEquals(await read("weak", { key: RSA_1024 }), [
    "error cert_file 1: has a certificate with an RSA key of 1024 bits, which clients refuse",
  ]);
  assertEquals(await read("sha1", { signature: ["-sha1"] }), [
    "warning cert_file 1: has a certificate signed with ecdsa-with-SHA1, which clients refuse",
  ]);
  const day = 86_400_000;
  const [late] = await read("late", {}, Date.now() + 3 * day);
  assert(/^warning cert_file 1: has a certificate that expired at \d{4}-.* UTC$/.test(late), late);
  const [early] = await read("early", {}, Date.now() - 3 * day);
  assert(/^warning cert_file 1: has a certificate that is not valid before \d{4}-.* UTC$/.test(early), early);
});

Deno.test("A chain is in the order in which its certificates issued each other", async () => {
  await using made = await Certificates.make("DNS:a.test");
  await made.issue("between", "", { extensions: "basicConstraints=CA:TRUE\n" });
  const leaf = await made.issue("leaf", "DNS:a.test", { issuer: "between" });
  const [own, between, root] = ["leaf", "between", "ca"].map((name) =>
    Deno.readTextFileSync(`${made.folder}/${name}.pem`)
  );
  const file = `${made.folder}/chain.pem`;
  const read = async (chain: string) => {
    await Deno.writeTextFile(file, chain);
    return readCertificate({ cert_file: file, key_file: leaf.keyFile });
  };
  assertEquals((await read(own + between + root)).faults, []);
  assertEquals((await read(own + between)).certificate?.chain, own + between);
  const { faults, certificate } = await read(own + root + between);
  assertEquals([faults.length, faults[0].severity], [1, "warning"]);
  assert(certificate !== undefined);
});
