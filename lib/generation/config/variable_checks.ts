/**
 * Finds variables of other servers, and names that are almost placeholders, in values where they are sent as they are written.
 *
 * @module
 */

import type { ConfigCheck } from "../../config/composed_config.ts";
import { type ProblemDetails, type ProblemList, shortName } from "../../config/problem_list.ts";
import { isTextNode, type TableNode, tableOf, tablesOf, textNode } from "../../config/source_tree.ts";
import type { Stage } from "../../exchange/placeholder_values.ts";
import { mistakenPlaceholder, PlaceholderText } from "../../exchange/placeholders.ts";

// nginx and HAProxy, Caddy and Traefik
const VARIABLE =
  /\$(?:\d|(?:host|uri|request_uri|document_uri|args|query_string|scheme|server_name|remote_addr|proxy_\w+|http_\w+|ssl_\w+|cookie_\w+|upstream_\w+)\b)|%\[[a-z][^\]\s]*\]|\{(?:host|hostport|uri|path|query|method|scheme|remote|remote_host|upstream_hostport|(?:http|header|re|vars|env)\.[^}\s]+)\}/;

/** Placeholders for variables of other servers. */
const OWN: Readonly<Record<string, string>> = {
  "$host": "{host}",
  "$uri": "{path}",
  "$document_uri": "{path}",
  "$args": "{query}",
  "$query_string": "{query}",
  "$scheme": "{scheme}",
  "$server_name": "{host}",
  "$remote_addr": "{client.ip}",
  "$ssl_protocol": "{tls.version}",
  "$ssl_cipher": "{tls.cipher}",
  "$upstream_addr": "{upstream}",
  "%[src]": "{client.ip}",
  "{remote_host}": "{client.ip}",
  "{hostport}": "{host}",
};

/** Warns of each variable in a header field or a rewritten path of a site. */
export const checkVariables: ConfigCheck = (root, problems) => {
  for (const site of tablesOf(root, "sites")) {
    const proxy = tableOf(site, "proxy");
    for (const owner of [proxy, ...tablesOf(proxy, "routes")]) checkChanges(tableOf(owner, "headers"), problems);
    for (const owner of [site, ...tablesOf(proxy, "routes")]) {
      const table = tableOf(owner, "response_headers");
      for (const changes of [table, ...tablesOf(table, "when")]) checkTables(changes, "responded", problems);
    }
    checkFields(tableOf(site, "headers"), "responded", problems);
    for (const [, { node }] of tableOf(tableOf(proxy, "health_check"), "headers")?.entries ?? []) {
      if (isTextNode(node)) checkText(node, problems);
    }
    for (const route of tablesOf(proxy, "routes")) checkText(textNode(route, "rewrite_target"), problems);
  }
};

function checkChanges(headers: TableNode | undefined, problems: ProblemList): void {
  checkTables(headers, "forwarded", problems);
  checkTables(tableOf(headers, "request"), "forwarded", problems);
  checkTables(tableOf(headers, "response"), "responded", problems);
}

function checkTables(changes: TableNode | undefined, stage: Stage, problems: ProblemList): void {
  checkFields(tableOf(changes, "add"), stage, problems);
  checkFields(tableOf(changes, "set"), stage, problems);
}

function checkFields(fields: TableNode | undefined, stage: Stage, problems: ProblemList): void {
  for (const { node } of fields?.entries.values() ?? []) if (isTextNode(node)) checkField(node, stage, problems);
}

type TextNode = NonNullable<ReturnType<typeof textNode>>;

function checkField(node: TextNode, stage: Stage, problems: ProblemList): void {
  const variable = VARIABLE.exec(node.value)?.[0];
  if (variable !== undefined && !isPlaceholder(variable)) {
    const own = OWN[variable];
    return warn(node, variable, problems, {
      expected:
        "a placeholder such as {host}, {client.ip} or {header.NAME}, or nothing: Host, X-Forwarded-* and X-Real-IP " +
        "are sent by themselves",
      ...(own === undefined ? {} : { suggestion: node.value.replace(variable, own) }),
    });
  }
  const mistaken = mistakenPlaceholder(node.value, { stage });
  if (mistaken === undefined) return;
  warn(node, mistaken.text, problems, {
    expected: `a placeholder that is known, or {${mistaken.text}} for the text ${mistaken.text}`,
    ...(mistaken.nearest === undefined ? {} : { suggestion: node.value.replace(mistaken.text, mistaken.nearest) }),
  });
}

function isPlaceholder(text: string): boolean {
  return text.startsWith("{") &&
    new PlaceholderText(text, { stage: "responded", keepsUnknown: true }).fixed === undefined;
}

function checkText(node: TextNode | undefined, problems: ProblemList): void {
  const variable = node === undefined ? undefined : VARIABLE.exec(node.value)?.[0];
  if (node === undefined || variable === undefined) return;
  warn(node, variable, problems, {
    expected: "text without variables: BWS has none, and sends Host, X-Forwarded-* and X-Real-IP by itself",
  });
}

function warn(node: TextNode, variable: string, problems: ProblemList, details: Omit<ProblemDetails, "message">): void {
  const hidden = node.substituted !== undefined;
  const { suggestion, ...rest } = details;
  problems.warning(node, {
    message: `${shortName(node.path)} holds ${
      hidden ? "a variable" : JSON.stringify(variable)
    }, which is sent as it is written`,
    ...rest,
    ...(hidden || suggestion === undefined ? {} : { suggestion }),
  });
}
