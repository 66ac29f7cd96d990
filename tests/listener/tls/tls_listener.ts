/**
 * The own listener with TLS on a free port of loopback. It responds with what it knows of the connection, as JSON.
 *
 * @module
 */

import type { ClientSide } from "../../../lib/exchange/exchange.ts";
import type { Responder } from "../../../lib/exchange/responder.ts";
import type { HttpResponse, RequestHead } from "../../../lib/http/message.ts";
import type { ServerCertificate } from "../../../lib/listener/tls/certificate.ts";
import { HANDSHAKE_RESULTS, type HandshakeResult } from "../../../lib/listener/tls/handshake_result.ts";
import type { TlsPolicies, TlsPolicy } from "../../../lib/listener/tls/tls_policy.ts";
import { LISTENER_METRICS } from "../../../lib/listener/own/listener_metrics.ts";
import { SocketListener, type SocketListenerOptions } from "../../../lib/listener/own/socket_listener.ts";
import { until } from "../../support/condition.ts";

/** How one name speaks TLS. */
export interface NamePolicy extends Partial<Omit<TlsPolicy, "certificates">> {
  /** The certificate; without it there is none. */
  readonly certificate?: ServerCertificate;
  readonly certificates?: TlsPolicy["certificates"];
}

/** A certificate out of PEM files. */
export function certificateOf({ certFile, keyFile }: { certFile: string; keyFile: string }): ServerCertificate {
  return {
    ...{ names: [], issuer: "", notBeforeMs: 0, notAfterMs: Infinity, origin: "file", fingerprint: certFile },
    chain: Deno.readTextFileSync(certFile),
    key: Deno.readTextFileSync(keyFile),
  };
}

/** Policies by name: `*.` in front of wildcards, and `*` for all others. */
export function policiesOf(names: Readonly<Record<string, NamePolicy>>): TlsPolicies {
  const policies = new Map(
    Object.entries(names).map(([name, { certificate, ...given }]) => {
      const policy: TlsPolicy = {
        ...{ minVersion: "TLSv1.2", protocols: ["http/1.1"], certificates: { certificateFor: () => certificate } },
        ...given,
      };
      return [name, policy];
    }),
  );
  return {
    policyFor: (name) => policies.get(name) ?? policies.get(name.replace(/^[^.]*/, "*")) ?? policies.get("*"),
  };
}

/** A listener that runs. */
export class TlsListener {
  /** The listener itself. */
  readonly listener: SocketListener;

  /** Opens one. */
  constructor(names: Readonly<Record<string, NamePolicy>>, options: SocketListenerOptions = {}) {
    const place = { address: undefined, port: 0, responder: RESPONDER };
    this.listener = new SocketListener(place, { tls: policiesOf(names), ...options });
  }

  /** Its port. */
  get port(): number {
    return this.listener.address.port;
  }

  /** How many handshakes had this result. */
  count(result: HandshakeResult): number {
    const { metrics } = this.listener;
    return metrics.value(LISTENER_METRICS.metrics.handshakes, HANDSHAKE_RESULTS.indexOf(result));
  }

  /** Puts other policies in place. */
  reload(names: Readonly<Record<string, NamePolicy>>): void {
    this.listener.serve(RESPONDER, { tls: policiesOf(names) });
  }

  /** Stops it. Fails when something of a connection is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.abort();
    await until("nothing is open", () => this.listener.connections === 0 && this.listener.handshakes === 0);
  }
}

const RESPONDER: Responder = {
  respond: (head, client) => facts(head, client),
  refuse: (_head, _client, { status, cause }) => text(status, cause),
  hold() {
    throw new Error("There is no middleware");
  },
  release() {
    throw new Error("There is no middleware");
  },
};

function facts({ scheme, host, path }: RequestHead, { tls }: ClientSide): HttpResponse {
  return text(200, `${JSON.stringify({ scheme, host, path, tls })}\n`);
}

function text(status: number, value: string): HttpResponse {
  const body = new TextEncoder().encode(value);
  return { status, headers: ["content-length", String(body.length)], body };
}
