// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { certificateSnapshots } from "../../lib/admin/certificate_snapshots.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { Generation } from "../../lib/generation/generation.ts";
import { serverFamilies } from "../../lib/generation/metrics/families.ts";
import { Exposition } from "../../lib/metrics/exposition.ts";
import { Certificates } from "../support/certificates.ts";

Deno.test("The end of certificates in files is in the metrics and in the snapshot", async () => {
  await using made = await Certificates.make("DNS:a.test,DNS:b.test");
  const tls = { cert_file: made.certFile, key_file: made.keyFile };
  const { config } = resolveConfig({
    management: { enabled: true },
    sites: [{ name: "www", hostname: "a.test", static_dir: Deno.cwd(), tls }, {
      ...{ name: "plain", port: 8081, static_dir: Deno.cwd() },
    }],
  });
  const generation = new Generation(config);
  try {
    const text = new Exposition(serverFamilies({ generation: () => generation })).write("prometheus");
    const [, left] = /^bws_tls_certificate_expiry_seconds\{site="www",name="a\.test"\} (\S+)$/m.exec(String(text)) ??
      [];
    const days = Number(left) / 86_400;
    assert(days > 1.9 && days <= 2, text);
    const [snapshot, ...more] = certificateSnapshots({ generation });
    const { expiresInMs, ...rest } = snapshot;
    assertEquals([rest, more], [
      { name: "a.test", origin: "file", ordering: false, onDemand: false, renewInMs: null, problem: null },
      [],
    ]);
    assert(expiresInMs !== null && Math.abs(expiresInMs / 1000 - Number(left)) < 60);
  } finally {
    generation.close();
  }
});
