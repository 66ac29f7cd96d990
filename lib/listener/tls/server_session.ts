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
  const resumed = wrap.isSessionReused();
  const session: TlsSession = {
    version: out.protocol ?? "",
    cipher: out.standardName ?? "",
    serverName,
    protocol: out.alpnProtocol || "",
    resumed,
  };
  if (clientAuth === undefined) return session;
  const { authorities: clientAuthorities } = clientAuth;
  // A session that was resumed carries the certificate of the earlier one, which another authority may have verified.
  const chain = wrap.getPeerCertificateChain()?.certificates ?? [];
  if (chain.length === 0) return { ...session, clientAuthorities };
  const reason = resumed ? undefined : wrap.verifyError();
  const client = verdicts.judge(chain.map((der) => new Uint8Array(der)), clientAuth, reason);
  return { ...session, clientAuthorities, client };
}

/**
 * Whether a request for a site came over a connection on which its client was not authenticated as the site wants it
 * (RFC 9110, section 15.5.20): one that was made for another name, before a reload, or in cleartext.
 */
export function misdirected({ required, authorities }: ClientAuth, session: TlsSession | undefined): boolean {
  if (session?.clientAuthorities !== authorities) return true;
  return required && session.client?.verified !== true;
}
