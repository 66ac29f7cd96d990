/**
 * Finds variables of other servers in values, where BWS does not substitute them.
 *
 * @module
 */

import type { ConfigCheck } from "../../config/composed_config.ts";
import { type ProblemList, shortName } from "../../config/problem_list.ts";
import { isTextNode, type TableNode, tableOf, tablesOf, textNode } from "../../config/source_tree.ts";

// nginx and HAProxy, Caddy and Traefik
const VARIABLE =
  /\$(?:\d|(?:host|uri|request_uri|document_uri|args|query_string|scheme|server_name|remote_addr|proxy_\w+|http_\w+|ssl_\w+|cookie_\w+|upstream_\w+)\b)|%\[[a-z][^\]\s]*\]|\{(?:host|hostport|uri|path|query|method|scheme|remote|remote_host|upstream_hostport|(?:http|header|re|vars|env)\.[^}\s]+)\}/;

/** Warns of each variable in a header field or a rewritten path of a site. */
export const checkVariables: ConfigCheck = (root, problems) => {
  for (const site of tablesOf(root, "sites")) {
    const proxy = tableOf(site, "proxy");
    for (const owner of [proxy, ...tablesOf(proxy, "routes")]) checkChanges(tableOf(owner, "headers"), problems);
    checkFields(tableOf(site, "headers"), problems);
    checkFields(tableOf(tableOf(proxy, "health_check"), "headers"), problems);
    for (const route of tablesOf(proxy, "routes")) checkText(textNode(route, "rewrite_target"), problems);
  }
};

function checkChanges(headers: TableNode | undefined, problems: ProblemList): void {
  for (const changes of [headers, tableOf(headers, "request"), tableOf(headers, "response")]) {
    checkFields(tableOf(changes, "add"), problems);
    checkFields(tableOf(changes, "set"), problems);
  }
}

function checkFields(fields: TableNode | undefined, problems: ProblemList): void {
  for (const { node } of fields?.entries.values() ?? []) if (isTextNode(node)) checkText(node, problems);
}

function checkText(node: ReturnType<typeof textNode>, problems: ProblemList): void {
  const variable = node === undefined ? undefined : VARIABLE.exec(node.value)?.[0];
  if (node === undefined || variable === undefined) return;
  problems.warning(node, {
    message: `${shortName(node.path)} holds ${
      node.substituted === undefined ? JSON.stringify(variable) : "a variable"
    }, which is sent as it is written`,
    expected: "text without variables: BWS has none, and sends Host, X-Forwarded-* and X-Real-IP by itself",
  });
}
