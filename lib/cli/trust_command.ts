/**
 * `bws trust`: makes this machine trust the local authority, or says how.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { loadConfig } from "../generation/config/load_config.ts";
import { CertificateStores, type StoreChoice } from "../listener/acme/certificate_stores.ts";
import { LocalAuthority } from "../listener/acme/local_authority.ts";
import { type CommandInput, DEFAULT_CONFIG, flagValue, UsageError } from "./command.ts";
import { DEBIAN, distrust, hasTrustStore, trust, trustedFile, type TrustStore } from "./system_trust.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Trusts the local authority, which is made if there is none; with `--uninstall` no longer; with `--print` writes its
 * certificate.
 *
 * @throws {UsageError} The flags contradict each other.
 * @throws {ConfigError} The config is refused.
 * @throws {Error} The storage cannot be read or written.
 */
export async function trustCommand(input: CommandInput, store: TrustStore = DEBIAN): Promise<number> {
  const [print, uninstall] = [input.flags.has("print"), input.flags.has("uninstall")];
  if (print && uninstall) throw new UsageError("--print and --uninstall contradict each other, expected one of them");
  const { terminal } = input;
  const { certificate, place } = await localAuthority(await storeOf(input));
  if (print) {
    terminal.print(certificate.trimEnd());
    return 0;
  }
  const facts = new X509Certificate(certificate);
  terminal.print(`${facts.subject.replace(/^CN=/, "")}, until ${new Date(facts.validTo).toISOString().slice(0, 10)}`);
  terminal.print(`kept in ${place}/local`);
  const file = trustedFile(store, facts.fingerprint256.replaceAll(":", "").toLowerCase());
  const done = await changeSystem(store, { file, certificate, uninstall }, terminal);
  terminal.print("");
  terminal.print((uninstall ? distrustElsewhere(facts) : trustElsewhere(facts)).join("\n"));
  return done ? 0 : 1;
}

async function storeOf(input: CommandInput): Promise<StoreChoice> {
  const path = flagValue(input, "config");
  if (path === undefined && !await isFile(DEFAULT_CONFIG)) return { acme: {} };
  return (await loadConfig(path ?? DEFAULT_CONFIG)).config;
}

async function localAuthority(choice: StoreChoice): Promise<{ certificate: string; place: string }> {
  const stores = new CertificateStores();
  try {
    const opened = await stores.of(choice);
    return { certificate: await new LocalAuthority(opened).certificate(), place: opened.place };
  } finally {
    stores.close();
  }
}

interface SystemChange {
  readonly file: string;
  readonly certificate: string;
  readonly uninstall: boolean;
}

/** @returns Whether the machine is now as it was asked for, as far as this command can do that. */
async function changeSystem(
  store: TrustStore,
  { file, certificate, uninstall }: SystemChange,
  terminal: Terminal,
): Promise<boolean> {
  if (!await hasTrustStore(store)) {
    terminal.print(`This machine has no ${store.program}: see below for what to do`);
    return true;
  }
  try {
    const changed = uninstall ? await distrust(store, file) : await trust(store, file, certificate);
    const state = uninstall ? "not trusted" : "trusted";
    terminal.print(
      `${changed ? "It is now" : "It was already"} ${state} by the programs of this machine (${file})`,
    );
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable)) throw error;
    terminal.printError("The store of this machine can be written by root alone. Run:");
    terminal.printError(
      uninstall
        ? `  sudo rm ${file} && sudo ${store.program} --fresh`
        : `  bws trust --print | sudo tee ${file} >/dev/null && sudo ${store.program}`,
    );
    return false;
  }
}

// Chromium and Firefox on Linux do not read the store of the system.
function trustElsewhere({ subject }: X509Certificate): string[] {
  const name = subject.replace(/^CN=/, "");
  return [
    "Elsewhere, with the certificate in a file: bws trust --print > bws.crt",
    `  Chromium on Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n "${name}" -i bws.crt (package libnss3-tools)`,
    "  Firefox            Settings, Certificates, View Certificates, Authorities, Import",
    "  macOS              sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain bws.crt",
    "  Windows            certutil -addstore -f ROOT bws.crt",
    "  Fedora             sudo cp bws.crt /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust",
    "  curl, Node, Deno   --cacert bws.crt, NODE_EXTRA_CA_CERTS=bws.crt, DENO_CERT=bws.crt",
  ];
}

function distrustElsewhere({ subject }: X509Certificate): string[] {
  const name = subject.replace(/^CN=/, "");
  return [
    "Where it was imported by hand, remove it there:",
    `  Chromium on Linux  certutil -d sql:$HOME/.pki/nssdb -D -n "${name}"`,
    "  Firefox            Settings, Certificates, View Certificates, Authorities, Delete or Distrust",
    `  macOS              sudo security delete-certificate -c "${name}" /Library/Keychains/System.keychain`,
    `  Windows            certutil -delstore ROOT "${name}"`,
    "  Fedora             sudo rm /etc/pki/ca-trust/source/anchors/bws.crt && sudo update-ca-trust",
  ];
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isFile === true;
}
