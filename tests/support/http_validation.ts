/**
 * A port on which authorities look for challenges, answered from a store as a listener does it.
 *
 * @module
 */

import type { CertificateStore } from "../../lib/listener/acme/certificate_store.ts";
import { CHALLENGE_PATH } from "../../lib/features/redirect_to_https.ts";
import { challengeResponse } from "../../lib/listener/acme/http_challenge.ts";

/** Answers challenges on `port` of 127.0.0.1, from `store`. */
export function answerChallenges(store: CertificateStore, port: number): Deno.HttpServer {
  return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const text = await challengeResponse(store, pathname.slice(CHALLENGE_PATH.length));
    return new Response(text ?? "not found", { status: text === undefined ? 404 : 200 });
  });
}
