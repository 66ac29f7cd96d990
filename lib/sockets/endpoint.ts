/**
 * The address of an upstream, and its protocol.
 *
 * @module
 */

import type { ProxyProtocol } from "../http/proxy_protocol.ts";

/** TLS settings of an upstream. */
export interface EndpointTls {
  /** Certificates in PEM that are trusted in addition to the system's. */
  readonly caCertificates?: readonly string[];
  /**
   * Accepts any certificate. A man in the middle between proxy and upstream can then read and change all traffic.
   *
   * @default {false}
   */
  readonly insecureSkipVerify?: boolean;
  /**
   * Name for SNI and for the check of the certificate.
   *
   * @default {the URL's host}
   */
  readonly serverName?: string;
  /** Certificate of this client and the intermediate ones behind it, PEM. */
  readonly cert?: string;
  /** Its private key, PEM. */
  readonly key?: string;
  /**
   * SHA-256 of the upstream's certificate, 64 hexadecimal digits in lower case: this certificate alone is accepted,
   * whoever issued it and whatever names it has.
   */
  readonly fingerprint?: string;
}

/**
 * The version of HTTP that is spoken with an upstream: one of two, or, over TLS, what it prefers of both (ALPN, RFC 7301).
 */
export type UpstreamProtocol = "http/1.1" | "h2" | "auto";

/** An upstream's address. */
export interface Endpoint {
  /** How to reach it. */
  readonly kind: "tcp" | "tls" | "unix";
  /** Host name or IP address without brackets; empty for unix sockets. */
  readonly hostname: string;
  /** Port; 0 for unix sockets. */
  readonly port: number;
  /** Path of a unix socket, else empty. */
  readonly socketPath: string;
  /** Value of Host when the client's is not preserved. */
  readonly authority: string;
  /** Path before every request's path: empty, or begins with `/` and does not end with one. */
  readonly basePath: string;
  /** For kind `tls`. */
  readonly tls?: EndpointTls;
  /**
   * Version of the PROXY protocol with whose header each connection begins.
   *
   * @default {none}
   */
  readonly proxyProtocol?: ProxyProtocol;
  /**
   * The version of HTTP.
   *
   * @default {"http/1.1"}
   */
  readonly protocol?: UpstreamProtocol;
}

/**
 * Whether HTTP/2 is spoken on a connection to `endpoint`.
 *
 * @param chosen The protocol that ALPN chose; undefined on a cleartext connection.
 */
export function speaksHttp2({ protocol }: Endpoint, chosen: string | undefined): boolean {
  return chosen === undefined ? protocol === "h2" : chosen === "h2";
}

/**
 * Reads an upstream's `url`: `http://host[:port][/base]`, `https://…`, `unix:/path.sock`.
 *
 * @throws {TypeError} When it is none of these.
 */
export function parseEndpoint(url: string, tls?: EndpointTls, protocol: UpstreamProtocol = "http/1.1"): Endpoint {
  if (/^unix:/i.test(url)) {
    const socketPath = url.slice(5).replace(/^\/\/(?=\/)/, "");
    return { kind: "unix", hostname: "", port: 0, socketPath, authority: "localhost", basePath: "", protocol };
  }
  const parsed = new URL(url);
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new TypeError(`Cannot use upstream url "${url}": expected http://, https:// or unix:`);
  }
  const secure = parsed.protocol === "https:";
  return {
    kind: secure ? "tls" : "tcp",
    hostname: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? (secure ? 443 : 80) : Number(parsed.port),
    socketPath: "",
    authority: parsed.host,
    basePath: parsed.pathname.replace(/\/+$/, ""),
    tls: secure ? tls ?? {} : undefined,
    protocol,
  };
}
