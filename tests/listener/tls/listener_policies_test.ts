// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseConfig } from "../../../lib/generation/config/parse_config.ts";
import type { CertificateSource, ServerCertificate } from "../../../lib/listener/tls/certificate.ts";
import { CertificateFileReader } from "../../../lib/listener/tls/certificate_files.ts";
import { ListenerPolicies, type SitePolicy } from "../../../lib/listener/tls/listener_policies.ts";
import { Certificates } from "../../support/certificates.ts";

const NONE: CertificateSource = { certificateFor: () => undefined };

function policiesOf(text: string, issued: CertificateSource = NONE): ListenerPolicies {
  const { config, problems } = parseConfig(text, { checkFiles: false });
  assertEquals(problems, []);
  return new ListenerPolicies((config as NonNullable<typeof config>).sites, {
    files: new CertificateFileReader(),
    issued,
  });
}

function site(host: string, more = ""): string {
  return `[[sites]]\nhostname = "${host}"\nport = 443\nstatic_dir = "/"\n${more}\n`;
}

function nameOf(policies: ListenerPolicies, serverName: string): string | undefined {
  const policy = policies.policyFor(serverName);
  return policy === undefined ? undefined : (policy as SitePolicy).site;
}

Deno.test("The policy of a name is that of its site: exact names before wildcards before the default", () => {
  const policies = policiesOf(
    `${site("a.test")}${site("*.b.test", 'tls = "internal"')}${site("x.b.test")}${site("d.test", "default = true")}`,
  );
  for (
    const [name, expected] of [
      ["a.test", "a.test"],
      ["x.b.test", "x.b.test"],
      ["y.b.test", "*.b.test"],
      ["unknown.test", "d.test"],
      ["", "d.test"],
    ]
  ) assertEquals(nameOf(policies, name), expected, name);
});

Deno.test("With strict_sni an unknown name has no policy; clients that name none get the site with an address", () => {
  const policies = policiesOf(`${site("a.test", "[sites.tls]\nstrict_sni = true")}${site("b.test")}`);
  assertEquals([nameOf(policies, "b.test"), nameOf(policies, "c.test"), nameOf(policies, "")], [
    "b.test",
    undefined,
    undefined,
  ]);
  const addressed = policiesOf(`${site("a.test", "[sites.tls]\nstrict_sni = true")}${site("127.0.0.1")}`);
  assertEquals([nameOf(addressed, ""), nameOf(addressed, "c.test")], ["127.0.0.1", undefined]);
});

Deno.test("A policy has the settings of its site", async () => {
  await using made = await Certificates.make("DNS:a.test");
  const { caFile, certFile, keyFile } = made;
  const policies = policiesOf(site(
    "a.test",
    `[sites.tls]
cert_file = "${certFile}"
key_file = "${keyFile}"
min_version = "TLSv1.3"
alpn = ["http/1.1"]
client_auth = { mode = "request", ca_file = "${caFile}" }`,
  ));
  const policy = policies.policyFor("a.test");
  assertEquals([policy?.minVersion, policy?.protocols], ["TLSv1.3", ["http/1.1"]]);
  assertEquals(policy?.clientAuth, { required: false, authorities: await Deno.readTextFile(caFile) });
  assertEquals(policy?.certificates.certificateFor("a.test")?.chain, made.cert);
  await Deno.writeTextFile(keyFile, "");
  assertThrows(
    () => policiesOf(site("a.test", `[sites.tls]\ncert_file = "${certFile}"\nkey_file = "${keyFile}"`)),
    Error,
    `Cannot use a certificate: ${keyFile} holds no private key`,
  );
});

Deno.test("Of several certificates in files, an exact name comes before a wildcard, and the first is the default", async () => {
  await using made = await Certificates.make("DNS:first.test,DNS:*.wild.test");
  const rsa = await made.issue("rsa", "DNS:x.wild.test,DNS:first.test", { key: ["-newkey", "rsa:2048", "-nodes"] });
  const policies = policiesOf(site(
    "first.test",
    `[sites.tls]
cert_file = "${made.certFile}"
key_file = "${made.keyFile}"
[[sites.tls.certificates]]
cert_file = "${rsa.certFile}"
key_file = "${rsa.keyFile}"`,
  ));
  const source = policies.policyFor("first.test")?.certificates;
  const chosen = (name: string) => source?.certificateFor(name)?.chain === made.cert ? "first" : "second";
  assertEquals(["first.test", "x.wild.test", "y.wild.test", "a.b.wild.test", "", "other.test"].map(chosen), [
    ...["first", "second", "first", "first", "first", "first"],
  ]);
});

Deno.test("A site gets issued certificates for its own names alone, and on demand where it says so", async () => {
  const asked: string[] = [];
  const known = new Map(
    ["a.test", "b.test", "*.w.test"].map((name) => [name, { names: [name] } as unknown as ServerCertificate]),
  );
  const issued: CertificateSource = {
    certificateFor: (name) => known.get(name),
    obtain(name) {
      asked.push(name);
      return Promise.resolve(undefined);
    },
  };
  const policies = policiesOf(
    `[acme.on_demand]\nask = "http://127.0.0.1:1/"\n${site("a.test", 'tls = "internal"')}${
      site("*.w.test", 'tls = "internal"')
    }${site("*.d.test", "[sites.tls]\non_demand = true")}`,
    issued,
  );
  const certificateFor = (policy: string, name: string) =>
    policies.policyFor(policy)?.certificates.certificateFor(name)?.names[0];
  assertEquals(certificateFor("a.test", "a.test"), "a.test");
  assertEquals(certificateFor("x.w.test", "x.w.test"), "*.w.test");
  // The names of other sites are not given away.
  assertEquals(certificateFor("a.test", "b.test"), "a.test");
  assertEquals(certificateFor("x.d.test", "x.d.test"), undefined);
  const [closed, open] = ["a.test", "x.d.test"].map((name) => policies.policyFor(name)?.certificates);
  assert(closed?.obtain !== undefined && open?.obtain !== undefined);
  await closed.obtain("other.test");
  await open.obtain("x.d.test");
  await open.obtain("");
  assertEquals(asked, ["x.d.test"]);
});
