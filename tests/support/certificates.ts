/**
 * Certificates for a test, made with openssl in a folder that goes away with them.
 *
 * @module
 */

/** A certificate authority and a server certificate that it signed. */
export class Certificates {
  /** Path of the authority's certificate in PEM. */
  readonly caFile: string;
  /** The server's certificate in PEM. */
  readonly cert: string;
  /** The server's key in PEM. */
  readonly key: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.caFile = `${folder}/ca.pem`;
    this.cert = Deno.readTextFileSync(`${folder}/server.pem`);
    this.key = Deno.readTextFileSync(`${folder}/server.key`);
  }

  /** Makes them; `names` are the server's, such as `DNS:app.test` or `IP:127.0.0.1`. */
  static async make(names: string): Promise<Certificates> {
    const folder = await Deno.makeTempDir({ prefix: "bws-certificates-" });
    await Deno.writeTextFile(`${folder}/names.ext`, `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const authority = ["-x509", "-subj", "/CN=Test authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem"];
    await openssl(folder, ["req", ...newKey, ...authority]);
    await openssl(folder, ["req", ...newKey, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr"]);
    const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names.ext", "-days", "2"];
    await openssl(folder, ["x509", "-req", "-in", "server.csr", ...signer, "-out", "server.pem"]);
    return new Certificates(folder);
  }

  /** Removes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function openssl(folder: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder, stderr: "piped" }).output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
}
