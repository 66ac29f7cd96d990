/**
 * Checks of certificate files when a config is read: that they can work, and that they cover the names of the site.
 *
 * @module
 */

import type { ConfigCheck } from "../../config/composed_config.ts";
import { fileAt, readFault } from "../../config/file_access.ts";
import { normalHost } from "../../config/host_pattern.ts";
import { type ProblemList, quoted, shortName } from "../../config/problem_list.ts";
import {
  booleanOf,
  child,
  type TableNode,
  tableOf,
  tablesOf,
  type TextNode,
  textNode,
  textNodesOf,
} from "../../config/source_tree.ts";
import type { ServerCertificate } from "./certificate.ts";
import { type CertificateFault, readCertificate } from "./certificate_file.ts";
import { bareAddress, coversHost } from "./certificate_names.ts";
import { pemBlocks } from "./pem.ts";

/** Reads the certificates of all sites. */
export const checkCertificates: ConfigCheck = (root, problems, { checkFiles }) => {
  if (!checkFiles) return;
  for (const site of tablesOf(root, "sites")) {
    checkUpstreams(tableOf(site, "proxy"), problems);
    const tls = tableOf(site, "tls");
    if (tls === undefined) continue;
    const pairs = [tls, ...tablesOf(tls, "certificates")];
    const read = pairs.flatMap((pair) => readPair(pair, problems) ?? []);
    const complete = read.length === pairs.filter((pair) => child(pair, "cert_file") !== undefined).length;
    if (read.length > 0 && complete) checkNames(site, read, problems);
    const authorities = textNode(tableOf(tls, "client_auth"), "ca_file");
    if (authorities !== undefined) checkAuthorities(authorities, problems);
  }
};

/** Reads the certificates that are shown to upstreams. */
function checkUpstreams(proxy: TableNode | undefined, problems: ProblemList): void {
  if (!booleanOf(proxy, "enabled", true)) return;
  for (const upstream of tablesOf(proxy, "upstreams")) {
    const tls = tableOf(upstream, "tls");
    if (tls !== undefined) readPair(tls, problems, { client: true });
  }
}

function readPair(
  pair: TableNode,
  problems: ProblemList,
  { client = false } = {},
): ServerCertificate | undefined {
  const files = { cert_file: textNode(pair, "cert_file"), key_file: textNode(pair, "key_file") };
  const { cert_file, key_file } = files;
  // Files that are not there are reported already.
  if (cert_file === undefined || key_file === undefined || !readable(cert_file) || !readable(key_file)) {
    return undefined;
  }
  const { certificate, faults } = readCertificate({ cert_file: cert_file.value, key_file: key_file.value }, { client });
  for (const fault of faults) report(fault, files[fault.key] as TextNode, problems);
  return certificate;
}

function report({ severity, line, message, expected }: CertificateFault, node: TextNode, problems: ProblemList): void {
  const where = line === 0 ? "" : `, line ${line},`;
  const details = { message: `${shortName(node.path)} ${quoted(node)}${where} ${message}`, expected };
  if (severity === "error") problems.error(node, details, { repeat: true });
  else problems.warning(node, details);
}

function checkNames(site: TableNode, certificates: readonly ServerCertificate[], problems: ProblemList): void {
  const names = certificates.flatMap((certificate) => certificate.names);
  // Those without names are warned of already.
  if (names.length === 0) return;
  for (const node of [textNode(site, "hostname") ?? [], textNodesOf(site, "hostnames")].flat()) {
    const host = bareAddress(normalHost(node.value));
    if (host === "*" || coversHost(names, host)) continue;
    problems.warning(node, {
      message: `no certificate of the site covers ${quoted(node)}, so that clients refuse it`,
      expected: `a certificate with this name; the site's have ${listed(names)}`,
    });
  }
}

function listed(names: readonly string[]): string {
  const shown = [...new Set(names)];
  return shown.length > 5 ? `${shown.slice(0, 5).join(", ")} and ${shown.length - 5} more` : shown.join(", ");
}

function checkAuthorities(node: TextNode, problems: ProblemList): void {
  if (!readable(node)) return;
  if (pemBlocks(Deno.readTextFileSync(node.value)).some(({ label }) => label === "CERTIFICATE")) return;
  problems.error(node, {
    message: `${shortName(node.path)} ${quoted(node)} holds no certificate`,
    expected: 'a PEM file with "-----BEGIN CERTIFICATE-----"',
  });
}

function readable(node: TextNode): boolean {
  const found = fileAt(node.value);
  return found !== undefined && !(found instanceof Error) && found.isFile && readFault(node.value) === undefined;
}
