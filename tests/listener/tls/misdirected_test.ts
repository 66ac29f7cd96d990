/**
 * Requests for a site that asks for client certificates, over connections that were made for another.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { resolveConfig } from "../../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../../lib/generation/config/config_types.ts";
import { startServer } from "../../../lib/process/server.ts";
import { Certificates } from "../../support/certificates.ts";
import { findsOpenssl } from "../../support/openssl.ts";
import { freePort } from "../../support/port.ts";
import { replying, statusAnswer } from "../../support/replying_upstream.ts";

const ignore = !await findsOpenssl("Misdirected requests");

Deno.test({
  name: "A site that asks for client certificates responds 421 on connections that were made for other names",
  ignore,
  async fn() {
    await using certificates = await Certificates.make("DNS:*.a.test");
    await using others = await Certificates.make("DNS:b.test");
    await certificates.issue("ann", "", { extensions: "extendedKeyUsage=clientAuth" });
    await using upstream = replying(statusAnswer(200, "fine"));
    const { certFile: cert_file, keyFile: key_file, caFile: ca_file } = certificates;
    const port = freePort();
    const site = (
      name: string,
      client_auth?: { mode: "require" | "request"; ca_file: string },
      strict_sni = false,
    ) => ({
      ...{ name, port, hostname: `${name}.a.test`, tls: { cert_file, key_file, client_auth, strict_sni } },
      proxy: { upstreams: [{ name: "one", url: upstream.url }], routes: [{ path: "/", upstream: "one" }] },
    });
    const config = (strict: boolean): ConfigInput => ({
      sites: [
        site("safe", { mode: "require", ca_file }, strict),
        site("asking", { mode: "request", ca_file }),
        site("other", { mode: "require", ca_file: others.caFile }),
        site("open"),
      ],
    });
    for (const strict of [false, true]) {
      const server = await startServer(resolveConfig(config(strict)).config);
      const status = async (name: string, host: string, withCertificate = false) => {
        const args = [
          "-s",
          "-o",
          "/dev/null",
          "-w",
          "%{http_code} %{http_version}",
          "--max-time",
          "20",
          "--cacert",
          ca_file,
        ];
        if (withCertificate) {
          args.push("--cert", `${certificates.folder}/ann.pem`, "--key", `${certificates.folder}/ann.key`);
        }
        args.push(
          "--resolve",
          `${name}.a.test:${port}:127.0.0.1`,
          "-H",
          `Host: ${host}`,
          `https://${name}.a.test:${port}/`,
        );
        const { stdout } = await new Deno.Command("curl", { args }).output();
        return new TextDecoder().decode(stdout);
      };
      assertEquals(await status("open", "open.a.test"), "200 2");
      assertEquals(await status("open", "safe.a.test"), "421 2");
      assertEquals(await status("open", "asking.a.test"), "421 2");
      // The first site responds for hosts that no site has.
      assertEquals(await status("open", "unknown.test"), "421 2");
      assertEquals(await status("asking", "safe.a.test"), "421 2");
      assertEquals(await status("asking", "asking.a.test"), "200 2");
      assertEquals(await status("safe", "safe.a.test"), "000 0");
      assertEquals(await status("safe", "safe.a.test", true), "200 2");
      assertEquals(await status("safe", "open.a.test", true), "200 2");
      assertEquals(await status("asking", "safe.a.test", true), "200 2");
      assertEquals(await status("safe", "other.a.test", true), "421 2");
      await server.stop();
    }
  },
});
