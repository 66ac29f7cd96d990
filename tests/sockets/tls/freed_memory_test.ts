// @ts-types="../../../types/std/assert.d.ts"
import { assert } from "@std/assert";
import { Certificates } from "../../support/certificates.ts";
import { findsOpenssl } from "../../support/openssl.ts";

Deno.test({
  name: "The memory of TLS connections that have ended is collected: 20,000 leave less than 8,000 would",
  ignore: !await findsOpenssl("Memory of TLS connections"),
  async fn() {
    await using certificates = await Certificates.make("DNS:localhost");
    const program = new URL("../../support/tls_memory_program.ts", import.meta.url).pathname;
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const { certFile, keyFile } = certificates;
    const args = ["run", "-A", "--no-check", "--config", config, program, certFile, keyFile, "30000"];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    const grown = Number(new TextDecoder().decode(stdout));
    assert(grown < 72_000_000, `${grown} ${new TextDecoder().decode(stderr)}`);
  },
});
