/**
 * Checks of TLS with clients: which ports speak it, and what each site needs for it. The content of certificate files is
 * checked in `certificate_checks.ts`.
 *
 * @module
 */

import type { ConfigCheck } from "../../config/composed_config.ts";
import { resolvePath } from "../../config/file_paths.ts";
import { normalHost } from "../../config/host_pattern.ts";
import { lineOf, type ProblemList, quoted } from "../../config/problem_list.ts";
import {
  booleanOf,
  child,
  type Place,
  type SourceNode,
  type TableNode,
  tableOf,
  tablesOf,
  type TextNode,
  textNode,
  textNodesOf,
} from "../../config/source_tree.ts";
import { listenerOf, portOf, shownPort } from "../virtual_host_checks.ts";
import { HTTPS_PORT, isPublicName } from "./site_tls.ts";

/** Makes the paths of certificates, keys and authorities absolute, and checks that the files are there. */
export const resolveTlsFiles: ConfigCheck = (root, problems, options) => {
  for (const site of tablesOf(root, "sites")) {
    const tls = tableOf(site, "tls");
    for (const pair of [tls, ...tablesOf(tls, "certificates")]) {
      resolvePath(textNode(pair, "cert_file"), "file", problems, options);
      resolvePath(textNode(pair, "key_file"), "file", problems, options);
    }
    resolvePath(textNode(tableOf(tls, "client_auth"), "ca_file"), "file", problems, options);
  }
  const acme = tableOf(root, "acme");
  resolvePath(textNode(acme, "storage"), "any", problems, options);
  resolvePath(textNode(tableOf(root, "store"), "ca_file"), "file", problems, options);
  for (const directory of tablesOf(acme, "directories")) {
    resolvePath(textNode(directory, "ca_file"), "file", problems, options);
  }
  const program = child(acme, "dns_command");
  const path = program?.kind === "list" ? program.items[0] : undefined;
  // A name without a slash is looked for in $PATH.
  if (path?.kind === "scalar" && typeof path.value === "string" && path.value.includes("/")) {
    resolvePath(path as TextNode, "file", problems, options);
  }
};

/** Checks what TLS needs, site by site, and that no port is both TLS and cleartext. */
export const checkTlsSites: ConfigCheck = (root, problems, { opensPorts }) => {
  const sites = tablesOf(root, "sites");
  const acme = tableOf(root, "acme");
  const runtime = textNode(tableOf(root, "server"), "listener")?.value === "runtime";
  for (const site of sites) {
    const place = tlsPlace(site);
    if (place === undefined) {
      checkCleartext(site, problems);
      continue;
    }
    if (runtime && opensPorts) {
      problems.error(place, {
        message: `port ${shownPort(site)} speaks TLS, and the server of the runtime does not`,
        expected: 'server.listener = "own", or tls = "off"',
      });
    }
    const tls = tableOf(site, "tls");
    checkPairs(tls, problems);
    if (!hasFiles(tls)) checkIssuance(site, { place, acme }, problems);
  }
  checkMixedPorts(sites, problems);
  checkStore(root, problems);
};

/** Checks that certificates have one store. */
function checkStore(root: TableNode, problems: ProblemList): void {
  const [storage, store] = [child(tableOf(root, "acme"), "storage"), tableOf(root, "store")];
  if (store === undefined) return;
  if (storage !== undefined) {
    problems.error(storage, {
      message: "acme.storage names a folder for certificates, and [store] a Redis",
      expected: "one of them",
    });
  }
  const caFile = child(store, "ca_file");
  if (caFile !== undefined && textNode(store, "url")?.value.startsWith("rediss:") === false) {
    problems.warning(caFile, {
      message: "store.ca_file has no effect: store.url is not one of TLS",
      expected: "rediss:// in store.url",
    });
  }
}

/** What makes a site speak TLS: its `tls`, or its port; undefined where it is served in cleartext. */
export function tlsPlace(site: TableNode): SourceNode | undefined {
  const tls = child(site, "tls");
  if (tls !== undefined) return tls.kind === "scalar" && tls.value === "off" ? undefined : tls;
  return portOf(site) === HTTPS_PORT && hostNodes(site).length > 0 ? child(site, "port") : undefined;
}

function checkCleartext(site: TableNode, problems: ProblemList): void {
  if (portOf(site) !== HTTPS_PORT || child(site, "tls") !== undefined) return;
  problems.warning(child(site, "port") ?? site, {
    message: `the site on port ${shownPort(site)} has no host name, so it is served in cleartext`,
    expected: 'hostname, tls = "internal", or tls = "off" for cleartext',
  });
}

function checkPairs(tls: TableNode | undefined, problems: ProblemList): void {
  if (tls === undefined) return;
  const [cert, key] = [child(tls, "cert_file"), child(tls, "key_file")];
  const lone = cert === undefined ? key : key === undefined ? cert : undefined;
  if (lone !== undefined) {
    const [has, lacks] = cert === undefined ? ["key_file", "cert_file"] : ["cert_file", "key_file"];
    problems.error(lone, {
      message: `tls has ${has} and no ${lacks}`,
      expected: "both; they may be one file that has the certificate and the key",
    });
  }
  if (!hasFiles(tls)) return;
  for (const name of ["issuer", "on_demand", "names"]) {
    const node = child(tls, name);
    if (node === undefined || (node.kind === "scalar" && node.value === false)) continue;
    problems.error(node, { message: `tls has ${name}, and certificates in files`, expected: "one of them" });
  }
}

interface Issuance {
  readonly place: SourceNode;
  readonly acme: TableNode | undefined;
}

/** Checks that certificates can be had for the names of a site. */
function checkIssuance(site: TableNode, { place, acme }: Issuance, problems: ProblemList): void {
  const tls = tableOf(site, "tls");
  const issuer = textNode(tls, "issuer")?.value ?? textNode(site, "tls")?.value;
  const onDemand = booleanOf(tls, "on_demand", false);
  if (onDemand && issuer !== "internal" && tableOf(acme, "on_demand") === undefined) {
    problems.error(child(tls, "on_demand") ?? place, {
      message:
        "on_demand is true, and nothing says which names are allowed: anybody could make BWS request certificates",
      expected: "[acme.on_demand] with ask",
    });
  }
  if (issuer === "internal") return;
  const names = [...hostNodes(site), ...textNodesOf(tls, "names")];
  const named = names.filter(({ value }) => value !== "*");
  if (named.length === 0 && !onDemand) {
    problems.error(place, {
      message: "the site has TLS and no host name, so it is not known what certificate to get",
      expected: 'hostname, tls = "internal", or cert_file and key_file in [sites.tls]',
    });
  }
  if (child(acme, "dns_command") !== undefined || onDemand) return;
  for (const name of named) {
    if (!name.value.startsWith("*.") || (issuer !== "acme" && !isPublicName(normalHost(name.value)))) continue;
    problems.error(name, {
      message: `${quoted(name)} is a wildcard, for which authorities issue certificates by DNS-01 only`,
      expected: "acme.dns_command, on_demand = true in [sites.tls], or cert_file and key_file",
    });
  }
}

function checkMixedPorts(sites: readonly TableNode[], problems: ProblemList): void {
  const first = new Map<string, { tls: SourceNode | undefined; site: TableNode }>();
  for (const site of sites) {
    const listener = listenerOf(site);
    if (listener === undefined) continue;
    const tls = tlsPlace(site);
    const earlier = first.get(listener);
    if (earlier === undefined) first.set(listener, { tls, site });
    else if ((earlier.tls === undefined) !== (tls === undefined)) {
      const [here, there] = tls === undefined ? ["in cleartext", "by TLS"] : ["by TLS", "in cleartext"];
      const other: Place = earlier.tls ?? child(earlier.site, "port") ?? earlier.site;
      problems.error(tls ?? child(site, "tls") ?? child(site, "port") ?? site, {
        message: `port ${shownPort(site)} serves this site ${here} and another one ${there}${lineOf(other)}`,
        expected: "TLS for all sites of a port, or for none",
      });
    }
  }
}

function hasFiles(tls: TableNode | undefined): boolean {
  return child(tls, "cert_file") !== undefined || child(tls, "key_file") !== undefined ||
    tablesOf(tls, "certificates").length > 0;
}

function hostNodes(site: TableNode): TextNode[] {
  return [textNode(site, "hostname") ?? [], textNodesOf(site, "hostnames")].flat();
}
