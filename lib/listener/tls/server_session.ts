/**
 * The session of a client's connection, as the runtime reports it.
 *
 * @module
 */

import type { TlsSession } from "../../sockets/tls_session.ts";
import type { TlsWrap } from "../../sockets/tls/tls_wrap.ts";
import type { ClientVerdicts } from "./client_verdicts.ts";
import type { ClientAuth } from "./tls_policy.ts";

/** What a handshake that is complete agreed on. */
export function sessionOf(
  wrap: TlsWrap,
  serverName: string,
  clientAuth: ClientAuth | undefined,
  verdicts: ClientVerdicts,
): TlsSession {
  const out: { protocol?: string; standardName?: string; alpnProtocol?: string | false } = {};
  wrap.getProtocol(out);
  wrap.getCipher(out);
  wrap.getAlpnNegotiatedProtocol(out);
  const session: TlsSession = {
    version: out.protocol ?? "",
    cipher: out.standardName ?? "",
    serverName,
    protocol: out.alpnProtocol || "",
    resumed: wrap.isSessionReused(),
  };
  if (clientAuth === undefined) return session;
  // A session that was resumed carries the certificate of the earlier one, which another authority may have verified.
  const chain = wrap.getPeerCertificateChain()?.certificates ?? [];
  if (chain.length === 0) return session;
  const reason = session.resumed ? undefined : wrap.verifyError();
  return { ...session, client: verdicts.judge(chain.map((der) => new Uint8Array(der)), clientAuth, reason) };
}
