// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { Certificates } from "../support/certificates.ts";
import { freePort } from "../support/port.ts";
import { RunningProxy } from "../support/running_proxy.ts";

const installed = (program: string) => {
  try {
    return new Deno.Command(program, { args: ["version"], stdout: "null", stderr: "null" }).outputSync().code >= 0;
  } catch {
    return false;
  }
};

Deno.test({
  name: "An upstream of openssl that requires a certificate gets it, and refuses clients without one",
  ignore: !installed("openssl"),
  fn: async () => {
    await using made = await Certificates.make("IP:127.0.0.1");
    const { certFile, keyFile } = await made.issue("client", "");
    const port = freePort();
    const args = ["s_server", "-accept", `127.0.0.1:${port}`, "-cert", made.certFile, "-key", made.keyFile, "-www"];
    const child = new Deno.Command("openssl", {
      args: [...args, "-Verify", "1", "-verify_return_error", "-CAfile", made.caFile, "-quiet"],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    try {
      await opened(port);
      const ca_file = made.caFile;
      for (
        const [status, tls] of [
          [200, { ca_file, cert_file: certFile, key_file: keyFile }],
          [502, { ca_file }],
        ] as const
      ) {
        await using proxy = await RunningProxy.start({ upstreams: [{ url: `https://127.0.0.1:${port}`, tls }] });
        const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
        await response.body?.cancel();
        assertEquals(response.status, status);
      }
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  },
});

Deno.test({
  name: "An upstream of nginx that requires a certificate gets it, and tells its subject",
  ignore: !installed("nginx"),
  fn: async () => {
    await using made = await Certificates.make("IP:127.0.0.1");
    const { certFile, keyFile } = await made.issue("client", "");
    const port = freePort();
    const { folder } = made;
    await Deno.writeTextFile(
      `${folder}/nginx.conf`,
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port} ssl; ssl_certificate ${made.certFile}; ssl_certificate_key ${made.keyFile};
    ssl_client_certificate ${made.caFile}; ssl_verify_client on; location / { return 200 "$ssl_client_s_dn\\n"; } } }`,
    );
    const child = new Deno.Command("nginx", {
      args: ["-c", `${folder}/nginx.conf`, "-e", `${folder}/error.log`],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    try {
      await opened(port);
      const own = { cert_file: certFile, key_file: keyFile };
      const fingerprint = await fingerprintOf(made.certFile);
      for (
        const [status, text, tls] of [
          [200, "CN=client\n", { ca_file: made.caFile, ...own }],
          [200, "CN=client\n", { fingerprint, ...own }],
          [400, undefined, { ca_file: made.caFile }],
          [502, undefined, { fingerprint: "00".repeat(32), ...own }],
        ] as const
      ) {
        await using proxy = await RunningProxy.start({ upstreams: [{ url: `https://127.0.0.1:${port}`, tls }] });
        const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
        const body = await response.text();
        assertEquals([response.status, text === undefined ? undefined : body], [status, text]);
      }
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  },
});

async function opened(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`Nobody listens on port ${port}`);
}

/** As openssl prints it, with colons. */
async function fingerprintOf(file: string): Promise<string> {
  const args = ["x509", "-noout", "-fingerprint", "-sha256", "-in", file];
  const { stdout } = await new Deno.Command("openssl", { args }).output();
  return new TextDecoder().decode(stdout).trim().split("=")[1];
}
