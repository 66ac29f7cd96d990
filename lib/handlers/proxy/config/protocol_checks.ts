/**
 * Checks of the version of HTTP that is spoken with upstreams.
 *
 * @module
 */

import { type ProblemList, quoted } from "../../../config/problem_list.ts";
import { type TableNode, tablesOf, textNode } from "../../../config/source_tree.ts";
import { usesH2c, usesTls } from "../../../upstream/upstream_url.ts";

/** Checks the upstreams of one proxy. */
export function checkProtocols(proxy: TableNode, problems: ProblemList): void {
  for (const upstream of tablesOf(proxy, "upstreams")) {
    const url = textNode(upstream, "url");
    const protocol = textNode(upstream, "protocol");
    if (url === undefined) continue;
    const header = upstream.entries.get("proxy_protocol");
    if (header !== undefined && (usesH2c(url.value) || (protocol?.value ?? "http/1.1") !== "http/1.1")) {
      problems.error({ path: header.node.path, span: header.keySpan }, {
        message: `proxy_protocol is given for ${quoted(url)}, to which clients share connections (HTTP/2)`,
        expected: 'protocol = "http/1.1" with an http:// or https:// URL, or no proxy_protocol',
      });
    }
    if (protocol === undefined) continue;
    if (protocol.value === "auto" && !usesTls(url.value)) {
      problems.error(protocol, {
        message: `protocol is "auto" for ${quoted(url)}, which does not use TLS: there is nothing to choose by`,
        expected: '"http/1.1" or "h2", or an https:// URL',
      });
    } else if (protocol.value === "http/1.1" && usesH2c(url.value)) {
      problems.error(protocol, {
        message: `protocol is "http/1.1" for ${quoted(url)}, which means HTTP/2`,
        expected: '"h2", or an http:// URL',
      });
    }
  }
}
