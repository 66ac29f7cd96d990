/**
 * Server-sent events.
 *
 * @module
 */

import { headerValue } from "../../http/header_lines.ts";
import type { ResponseHead } from "../../http1/response_head.ts";

/** Whether a response is an event stream, which may be silent for as long as it lasts. */
export function isEventStream({ headers }: ResponseHead): boolean {
  return /^text\/event-stream\b/i.test(headerValue(headers, "content-type") ?? "");
}
