/**
 * The program `openssl`, as a client and as a maker of certificates.
 *
 * @module
 */

/** Whether it is there; says so where it is not, and what is not tested then. */
export async function findsOpenssl(tested: string): Promise<boolean> {
  const found = await new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
  // deno-lint-ignore no-console -- whoever reads the report must know
  if (!found) console.warn(`${tested} is not tested: openssl is missing`);
  return found;
}

/** How {@linkcode opensslClient} connects. */
export interface OpensslClientOptions {
  /** Further arguments, as `-servername`. */
  readonly args?: readonly string[];
  /**
   * What is sent once the handshake is complete.
   *
   * @default {a GET for / of localhost that ends the connection}
   */
  readonly request?: string;
}

/** Connects with `openssl s_client`. Returns all that it prints, and whether it succeeded. */
export async function opensslClient(
  port: number,
  { args = [], request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" }: OpensslClientOptions = {},
): Promise<{ success: boolean; text: string }> {
  const child = new Deno.Command("openssl", {
    // Not `-quiet`, which would hide the session.
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  // It does not read any more where the handshake fails.
  input.write(new TextEncoder().encode(request)).then(() => input.close()).catch(() => {});
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
