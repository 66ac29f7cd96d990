/**
 * Checks of TLS with upstreams: the certificate files, and `tls` tables of upstreams without https://.
 *
 * @module
 */

import type { ConfigCheck } from "../../../config/composed_config.ts";
import { fileAt, readFault } from "../../../config/file_access.ts";
import { resolvePath } from "../../../config/file_paths.ts";
import { type ProblemList, quoted, shortName } from "../../../config/problem_list.ts";
import {
  booleanOf,
  child,
  type SourceNode,
  type TableNode,
  tableOf,
  tablesOf,
  type TextNode,
  textNode,
} from "../../../config/source_tree.ts";
import { usesTls } from "../../../upstream/upstream_url.ts";

/** Makes the paths of certificates absolute, and checks those that are used. */
export const resolveCertificates: ConfigCheck = (root, problems, options) => {
  for (const site of tablesOf(root, "sites")) {
    const proxy = tableOf(site, "proxy");
    const used = booleanOf(proxy, "enabled", true);
    for (const upstream of tablesOf(proxy, "upstreams")) {
      const tls = tableOf(upstream, "tls");
      const authority = textNode(tls, "ca_file");
      for (const file of [authority, textNode(tls, "cert_file"), textNode(tls, "key_file")]) {
        resolvePath(file, used ? "file" : "any", problems, options);
      }
      if (authority !== undefined && used && options.checkFiles) checkCertificate(authority, problems);
    }
  }
};

/** Checks the upstreams of one proxy. */
export function checkTls(proxy: TableNode, problems: ProblemList): void {
  for (const upstream of tablesOf(proxy, "upstreams")) {
    const url = textNode(upstream, "url");
    checkKeys(tableOf(upstream, "tls"), problems);
    const tls = upstream.entries.get("tls");
    if (tls === undefined || url === undefined || usesTls(url.value)) continue;
    problems.error({ path: tls.node.path, span: tls.keySpan }, {
      message: `tls is given for ${quoted(url)}, which does not use TLS`,
      expected: "an https:// URL, or no tls",
    });
  }
}

/** Keys that belong together, and those of which one has no effect. */
function checkKeys(tls: TableNode | undefined, problems: ProblemList): void {
  if (tls === undefined) return;
  const [cert, key] = [child(tls, "cert_file"), child(tls, "key_file")];
  if ((cert === undefined) !== (key === undefined)) {
    problems.error((cert ?? key) as SourceNode, {
      message: `tls has ${cert === undefined ? "key_file and no cert_file" : "cert_file and no key_file"}`,
      expected: "both, or neither",
    });
  }
  const pinned = child(tls, "fingerprint");
  if (pinned === undefined) return;
  if (booleanOf(tls, "insecure_skip_verify", false)) {
    problems.error(pinned, {
      message: "tls has a fingerprint, and insecure_skip_verify accepts any certificate",
      expected: "one of them",
    });
  } else if (child(tls, "ca_file") !== undefined) {
    problems.warning(child(tls, "ca_file") as SourceNode, {
      message: "ca_file has no effect beside fingerprint, which accepts one certificate whoever issued it",
      expected: "one of them",
    });
  }
}

/** A file without a certificate: the runtime reports it only when a connection fails. */
function checkCertificate(node: TextNode, problems: ProblemList): void {
  if (fileAt(node.value) instanceof Error || readFault(node.value) !== undefined) return;
  if (Deno.readTextFileSync(node.value).includes("-----BEGIN CERTIFICATE-----")) return;
  problems.error(node, {
    message: `${shortName(node.path)} ${quoted(node)} holds no certificate`,
    expected: 'a PEM file with "-----BEGIN CERTIFICATE-----"',
  });
}
