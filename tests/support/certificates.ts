/**
 * Certificates for a test, made with openssl in a folder that goes away with them.
 *
 * @module
 */

/** Options of {@linkcode Certificates.issue}. */
export interface IssueOptions {
  /**
   * How long it is valid.
   *
   * @default {2}
   */
  readonly days?: number;
  /** @default {the name as common name} */
  readonly subject?: string;
  /**
   * Arguments of `openssl req` for the key.
   *
   * @default {P-256}
   */
  readonly key?: readonly string[];
  /** @default {SHA-256} */
  readonly signature?: readonly string[];
  /**
   * Name of the certificate that signs.
   *
   * @default {"ca"}
   */
  readonly issuer?: string;
  /**
   * Lines for the extensions.
   *
   * @default {""}
   */
  readonly extensions?: string;
}

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A certificate authority and a server certificate that it signed. */
export class Certificates {
  /** Path of the authority's certificate in PEM. */
  readonly caFile: string;
  /** The server's certificate in PEM. */
  readonly cert: string;
  /** The server's key in PEM. */
  readonly key: string;
  /** Path of the server's certificate in PEM. */
  readonly certFile: string;
  /** Path of the server's key in PEM. */
  readonly keyFile: string;
  /** The folder of all files. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.certFile = `${folder}/server.pem`;
    this.keyFile = `${folder}/server.key`;
    this.caFile = `${folder}/ca.pem`;
    this.cert = Deno.readTextFileSync(`${folder}/server.pem`);
    this.key = Deno.readTextFileSync(`${folder}/server.key`);
  }

  /** Makes them; `names` are the server's, such as `DNS:app.test` or `IP:127.0.0.1`. */
  static async make(names: string): Promise<Certificates> {
    const folder = await Deno.makeTempDir({ prefix: "bws-certificates-" });
    await Deno.writeTextFile(`${folder}/names.ext`, `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
    const authority = ["-x509", "-subj", "/CN=Test authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem"];
    await openssl(folder, ["req", ...EC_KEY, ...authority]);
    await openssl(folder, ["req", ...EC_KEY, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr"]);
    const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names.ext", "-days", "2"];
    await openssl(folder, ["x509", "-req", "-in", "server.csr", ...signer, "-out", "server.pem"]);
    return new Certificates(folder);
  }

  /**
   * Makes another certificate of the authority: `NAME.pem` and `NAME.key` in the folder.
   *
   * @param names As for {@linkcode make}.
   */
  async issue(name: string, names: string, options: IssueOptions = {}): Promise<{ certFile: string; keyFile: string }> {
    const { days = 2, subject = `/CN=${name}`, key = EC_KEY, signature = [], issuer = "ca", extensions = "" } = options;
    const { folder } = this;
    const alternatives = names === "" ? "" : `subjectAltName=${names}\n`;
    await Deno.writeTextFile(`${folder}/${name}.ext`, `${alternatives}${extensions}`);
    await openssl(folder, ["req", ...key, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`]);
    const from = ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial", "-extfile", `${name}.ext`];
    const time = ["-days", String(days)];
    await openssl(folder, [
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...from,
      ...time,
      ...signature,
      "-out",
      `${name}.pem`,
    ]);
    return { certFile: `${folder}/${name}.pem`, keyFile: `${folder}/${name}.key` };
  }

  /** Removes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function openssl(folder: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder, stderr: "piped" }).output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
}
