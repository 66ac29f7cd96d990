/**
 * The response to a request that fails: enough for the client to report the failure, and nothing about the servers
 * behind the proxy.
 *
 * @module
 */

// @ts-types="../../types/std/http-status.d.ts"
import { STATUS_TEXT } from "@std/http/status";
import { acceptedForm } from "./accepted_type.ts";
import { headerValue } from "./header_lines.ts";
import type { HttpResponse, RequestHead } from "./message.ts";

/**
 * The response to a failed request: JSON, or a small HTML page for clients that prefer HTML.
 *
 * @param lines Additional header lines, such as Allow.
 */
export function errorResponse(
  head: RequestHead | undefined,
  status: number,
  requestId: string,
  lines: readonly string[] = [],
): HttpResponse & { body: Uint8Array<ArrayBuffer> } {
  const title = STATUS_TEXT[status] ?? (status < 500 ? "Request Failed" : "Server Error");
  const html = head !== undefined && acceptedForm(headerValue(head.headers, "accept"), "json") === "html";
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
