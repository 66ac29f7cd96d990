/**
 * The certificates that the programs of a machine trust, on Debian and systems made from it.
 *
 * @module
 */

/** Where certificates go, and what makes programs see them. */
export interface TrustStore {
  readonly folder: string;
  readonly program: string;
}

/** That of Debian. */
export const DEBIAN: TrustStore = {
  folder: "/usr/local/share/ca-certificates",
  program: "/usr/sbin/update-ca-certificates",
};

/** Whether the machine has this store. */
export async function hasTrustStore({ folder, program }: TrustStore): Promise<boolean> {
  try {
    return (await Deno.stat(program)).isFile && (await Deno.stat(folder)).isDirectory;
  } catch {
    return false;
  }
}

/** The file of a certificate in the store, by the fingerprint of the certificate. */
export function trustedFile({ folder }: TrustStore, fingerprint: string): string {
  return `${folder}/bws-local-authority-${fingerprint.slice(0, 16)}.crt`;
}

/**
 * Trusts a certificate.
 *
 * @returns Whether it was not trusted before.
 * @throws {Error} When the store cannot be written, or its program fails.
 */
export async function trust(store: TrustStore, file: string, certificate: string): Promise<boolean> {
  const before = await Deno.readTextFile(file).catch(() => undefined);
  if (before === certificate) return false;
  await Deno.writeTextFile(file, certificate, { mode: 0o644 });
  await update(store, []);
  return true;
}

/**
 * Trusts a certificate no longer.
 *
 * @returns Whether it was trusted before.
 * @throws {Error} When the store cannot be written, or its program fails.
 */
export async function distrust(store: TrustStore, file: string): Promise<boolean> {
  try {
    await Deno.remove(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  // Without it, links to files that are gone would stay.
  await update(store, ["--fresh"]);
  return true;
}

async function update({ program }: TrustStore, args: readonly string[]): Promise<void> {
  const command = new Deno.Command(program, { args: [...args], stdin: "null", stdout: "null", stderr: "piped" });
  const { success, code, stderr } = await command.output();
  if (!success) throw new Error(`${program} ended with ${code}: ${new TextDecoder().decode(stderr).trim()}`);
}
