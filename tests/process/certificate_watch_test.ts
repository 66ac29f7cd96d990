// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { CertificateFileReader } from "../../lib/listener/tls/certificate_files.ts";
import { ListenerPolicies } from "../../lib/listener/tls/listener_policies.ts";
import { Log } from "../../lib/log/log.ts";
import { CertificateWatch } from "../../lib/process/certificate_watch.ts";
import { Certificates } from "../support/certificates.ts";
import { until } from "../support/condition.ts";

/** A watch over the certificates of one site, with what it logs. */
class Watched {
  readonly lines: Record<string, unknown>[] = [];
  readonly reader = new CertificateFileReader();
  readonly policies: ListenerPolicies;
  readonly watch: CertificateWatch;
  changes = 0;

  constructor({ certFile, keyFile, caFile }: Certificates) {
    const text = `[[sites]]\nname = "www"\nstatic_dir = "/"\n[sites.tls]\ncert_file = "${certFile}"\n` +
      `key_file = "${keyFile}"\nclient_auth = { ca_file = "${caFile}" }`;
    const { config } = parseConfig(text);
    assert(config !== undefined);
    const issued = { certificateFor: () => undefined };
    this.policies = new ListenerPolicies(config.sites, { files: this.reader, issued });
    const write = (bytes: Uint8Array) => {
      const lines = new TextDecoder().decode(bytes).trim().split("\n");
      this.lines.push(...lines.map((line) => JSON.parse(line)));
      return Promise.resolve();
    };
    this.watch = new CertificateWatch({
      reader: this.reader,
      log: new Log(write, { level: "info", format: "json" }),
      listeners: () => [{ tls: this.policies }],
      lookMs: 5,
      onChange: () => this.changes++,
    });
    this.watch.update();
  }

  get chain(): string | undefined {
    return this.policies.policyFor("a.test")?.certificates.certificateFor("a.test")?.chain;
  }

  logged(message: string): Record<string, unknown>[] {
    return this.lines.filter((line) => line.message === message || line.msg === message);
  }

  [Symbol.dispose](): void {
    this.watch.close();
  }
}

Deno.test("Certificates whose files change are swapped, authorities of clients too", async () => {
  await using made = await Certificates.make("DNS:a.test");
  using watched = new Watched(made);
  assertEquals(watched.chain, made.cert);
  const other = await made.issue("other", "DNS:a.test");
  await replaceFile(other.keyFile, made.keyFile);
  await replaceFile(other.certFile, made.certFile);
  await until("the other certificate is used", () => watched.chain === Deno.readTextFileSync(other.certFile));
  await until("it is logged", () => watched.logged("certificate changed").length === 1);
  assertEquals(watched.changes, 1);
  const both = await Deno.readTextFile(made.caFile) + made.cert;
  await Deno.writeTextFile(made.caFile, both);
  await until("the authorities are used", () => watched.policies.policyFor("a.test")?.clientAuth?.authorities === both);
});

Deno.test("A broken file keeps the certificate before it, and is logged once with its reason", async () => {
  await using made = await Certificates.make("DNS:a.test");
  using watched = new Watched(made);
  const other = await made.issue("other", "DNS:a.test");
  await replaceFile(other.certFile, made.certFile);
  const refused = () => watched.logged("certificate refused, the one before stays in use");
  await until("the certificate is refused", () => refused().length === 1);
  assertEquals(refused()[0].cause, `${made.keyFile} has not the key of the certificate in cert_file`);
  assertEquals([watched.chain, watched.changes], [made.cert, 0]);
  watched.watch.refresh();
  await Deno.remove(made.keyFile);
  await until("the key that is not there is refused", () => refused().length === 2);
  assertEquals(watched.chain, made.cert);
  await replaceFile(other.keyFile, made.keyFile);
  await until("the whole pair is used", () => watched.chain === Deno.readTextFileSync(other.certFile));
});

Deno.test("A certificate that expires within 14 days is logged at the start", async () => {
  await using made = await Certificates.make("DNS:a.test");
  using watched = new Watched(made);
  await until("it is logged", () => watched.logged("certificate expires soon").length === 1);
  const [line] = watched.logged("certificate expires soon");
  assertEquals([line.site, line.name, line.days], ["www", "a.test", 1]);
});

Deno.test("A certificate that BWS renews itself is logged when its renewal is late, not for its short lifetime", async () => {
  const dayMs = 86_400_000;
  for (const [leftDays, warned] of [[6, false], [1, true]] as const) {
    const lines: string[] = [];
    const log = new Log(async (bytes) => void lines.push(new TextDecoder().decode(bytes)), { level: "info" });
    const notAfterMs = Date.now() + leftDays * dayMs;
    const certificate = { origin: "internal", notBeforeMs: notAfterMs - 7 * dayMs, notAfterMs };
    const policies = [{ site: "www", named: [{ name: "localhost", certificate }], tls: {} }];
    const watch = new CertificateWatch({
      reader: new CertificateFileReader(),
      log,
      listeners: () => [{ tls: { policies } as unknown as ListenerPolicies }],
    });
    watch.update();
    await log.flush();
    watch.close();
    assertEquals(lines.join("").includes("certificate expires soon"), warned, `${leftDays} days`);
  }
});

/** Replaces a file at once: a copy in place may be read while it is made. */
async function replaceFile(from: string, to: string): Promise<void> {
  await Deno.copyFile(from, `${to}.new`);
  await Deno.rename(`${to}.new`, to);
}
