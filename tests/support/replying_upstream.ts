/**
 * Upstreams for tests of retries: what the n-th request gets is said beforehand.
 *
 * @module
 */

import { freePort } from "./port.ts";
import { ScriptedUpstream } from "./scripted_upstream.ts";

/** What a request gets: an answer, or the end of its connection once it was read whole. */
export type Reply = string | "close";

/** An upstream whose n-th request, on whatever connection, gets the n-th reply; those after the last get the last. */
export function replying(...replies: readonly Reply[]): ScriptedUpstream {
  let turn = 0;
  return ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const reply = replies[Math.min(turn++, replies.length - 1)];
      if (reply === "close" || !await peer.send(reply)) return;
    }
  });
}

/** An answer of any status with a Content-Length; `lines` end in CRLF each. */
export function statusAnswer(status: number, body = "", lines = ""): string {
  return `HTTP/1.1 ${status} Some\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** A port of loopback where nobody listens. */
export function deadPort(): number {
  return freePort();
}
