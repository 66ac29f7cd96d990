/**
 * Translates `[sites.ssl]` of the original BWS to `[sites.tls]` and `[acme]`. The original table stays, so that the types of
 * its keys are checked.
 *
 * @module
 */

import type { ProblemList } from "./problem_list.ts";
import { child, type Entry, type ScalarNode, type SourceNode, type TableNode, tableOf } from "./source_tree.ts";
import { openTable, switchOf } from "./tree_changes.ts";

/** Gives a site the `tls` that its `ssl` means. */
export function translateSsl(site: TableNode, root: TableNode, problems: ProblemList): void {
  const entry = site.entries.get("ssl");
  if (entry?.node.kind !== "table") return;
  const ssl = entry.node;
  const place = { path: ssl.path, span: entry.keySpan ?? ssl.span };
  const enabled = switchOf(child(ssl, "enabled")) ?? false;
  if (child(site, "tls") !== undefined) {
    problems.warning(place, { message: "ssl has no effect beside tls", expected: "one of them" });
    return;
  }
  if (!enabled) {
    // Without it, port 443 would mean TLS.
    set(site, "tls", { kind: "scalar", value: "off", ...place });
    return;
  }
  const acme = tableOf(ssl, "acme");
  const automatic = switchOf(child(ssl, "auto_cert")) ?? switchOf(child(acme, "enabled")) ?? false;
  const tls: TableNode = { kind: "table", path: ssl.path, span: ssl.span, entries: new Map() };
  if (automatic) {
    set(tls, "issuer", { kind: "scalar", value: "acme", ...place });
    copy(ssl, "domains", tls, "names");
    useAccount(acme, root, problems);
  } else {
    copy(ssl, "cert_file", tls, "cert_file");
    copy(ssl, "key_file", tls, "key_file");
  }
  set(site, "tls", tls);
  problems.warning(place, { message: "ssl, a table of the original BWS, is taken as [sites.tls]" });
}

/** The account of the first site that has one is that of all sites. */
function useAccount(own: TableNode | undefined, root: TableNode, problems: ProblemList): void {
  const acme = own === undefined ? undefined : openTable(root, "acme");
  if (own === undefined || acme === undefined) return;
  for (const key of ["email", "staging"]) if (child(acme, key) === undefined) copy(own, key, acme, key);
  const folder = own.entries.get("challenge_dir");
  if (folder === undefined) return;
  problems.warning({ path: folder.node.path, span: folder.keySpan }, {
    message: "challenge_dir has no effect: BWS responds to challenges without files",
  });
}

function copy(from: TableNode, key: string, to: TableNode, name: string): void {
  const entry = from.entries.get(key);
  if (entry !== undefined) to.entries.set(name, entry);
}

function set(table: TableNode, key: string, node: SourceNode | ScalarNode): void {
  const entry: Entry = { node };
  table.entries.set(key, entry);
}
