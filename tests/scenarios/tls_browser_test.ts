// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { certificateOf, TlsListener } from "../listener/tls/tls_listener.ts";
import { Certificates } from "../support/certificates.ts";
import { findsChromium, launchChromium } from "../support/chromium.ts";
import { findsOpenssl } from "../support/openssl.ts";

const tested = "TLS with a browser";
const ignore = !await findsChromium(tested) || !await findsOpenssl(tested);

Deno.test({
  name: "A browser gets a page by HTTP/1.1 and HTTP/2 with the certificate of the name",
  ignore,
  async fn() {
    await using certificates = await Certificates.make("DNS:localhost");
    const named = certificateOf(await certificates.issue("named", "DNS:localhost", { subject: "/CN=named" }));
    for (const protocols of [["http/1.1"], ["h2", "http/1.1"]]) {
      await using server = new TlsListener({
        "*": { certificate: certificateOf(certificates) },
        localhost: { certificate: named, protocols },
      });
      await using browser = await launchChromium();
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      const response = await page.goto(`https://localhost:${server.port}/x`);
      const { scheme, path, tls } = JSON.parse(await response!.text());
      assertEquals([scheme, path, tls.protocol, tls.serverName], ["https", "/x", protocols[0], "localhost"]);
      const details = await response!.securityDetails();
      assertEquals([details?.subjectName, details?.issuer, details?.protocol], ["named", "Test authority", "TLS 1.3"]);
    }
  },
});
