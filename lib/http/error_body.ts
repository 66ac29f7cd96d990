/**
 * What a client is told when an exchange fails: enough to report it, nothing of what lies behind the proxy.
 *
 * @module
 */

import { headerValue } from "./header_lines.ts";
import type { Answer, RequestHead } from "./message.ts";

/** Words for the statuses that BWS itself gives; others are called by their class. */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  499: "Client Closed Request",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  508: "Loop Detected",
};

/**
 * The answer to a failed request: JSON, or a small HTML page for clients that ask for HTML.
 *
 * @param lines Header lines that go with it, such as Allow.
 */
export function errorAnswer(
  head: RequestHead | undefined,
  status: number,
  requestId: string,
  lines: readonly string[] = [],
): Answer & { body: Uint8Array<ArrayBuffer> } {
  const title = TITLES[status] ?? (status < 500 ? "Request Failed" : "Server Error");
  const html = head !== undefined && prefersHtml(headerValue(head.headers, "accept"));
  const timestamp = new Date().toISOString();
  const text = html
    ? page(status, title, requestId)
    : JSON.stringify({ error: title, status, timestamp, request_id: requestId }) + "\n";
  return {
    status,
    headers: [
      ...lines,
      "content-type",
      html ? "text/html; charset=utf-8" : "application/json",
      "cache-control",
      "no-store",
      "x-content-type-options",
      "nosniff",
    ],
    body: encoder.encode(text),
  };
}

const encoder = new TextEncoder();

// Browsers name text/html; programs name JSON, or take anything.
function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const html = accept.indexOf("text/html");
  const json = accept.indexOf("application/json");
  return html >= 0 && (json < 0 || html < json);
}

function page(status: number, title: string, requestId: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${status} ${title}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 36rem; margin: 18vh auto 0; padding: 0 1.5rem }
h1 { font-size: 1.5rem; margin: 0 } p { opacity: .7 } code { font-size: .85em }
</style>
<h1>${status} ${title}</h1>
<p>Request <code>${requestId.replace(/[^\w.:+/=@-]/g, "")}</code></p>
</html>
`;
}
