/**
 * An ACME server that misbehaves as a test says: it refuses nonces, limits rates, hangs, breaks off, and answers what is
 * no ACME. It checks no signatures and no names, and issues certificates of the lifetime that the test wants.
 *
 * @module
 */

import { decodeBase64, encodeBase64Url } from "../../lib/listener/acme/base64.ts";
import { SigningKey } from "../../lib/listener/acme/signing_key.ts";
import { issueCertificate } from "../../lib/listener/acme/x509.ts";

/** A request to the server. */
export interface AuthorityRequest {
  /** `directory`, `nonce`, `account`, `order`, `authorization`, `challenge`, `finalize`, `certificate` or `renewal`. */
  readonly resource: string;
  readonly payload: unknown;
  /** The protected header of the signature. */
  readonly header: Readonly<Record<string, unknown>>;
}

/** What comes in place of the usual response; undefined for that. */
export type AuthorityFault = (request: AuthorityRequest) => Response | undefined | Promise<Response | undefined>;

/** A problem document. */
export function problem(type: string, detail: string, init: ResponseInit = {}): Response {
  const body = JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail });
  const headers = { "content-type": "application/problem+json", "replay-nonce": nonce(), ...init.headers };
  return new Response(body, { status: 400, ...init, headers });
}

/** The server. */
export class ScriptedAuthority {
  readonly directoryUrl: string;
  /** Requests so far. */
  readonly requests: AuthorityRequest[] = [];
  /** Names for which certificates were issued, in order. */
  readonly issued: string[] = [];
  fault: AuthorityFault | undefined;
  /** Lifetime of its certificates. */
  lifetimeMs = 90 * 86_400_000;
  /** Window that it suggests for renewal, from and to; undefined where it has none. */
  window: readonly [number, number] | undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #key: SigningKey;
  readonly #base: string;
  readonly #orders: { name: string; ready: boolean; chain?: string }[] = [];

  private constructor(key: SigningKey) {
    this.#key = key;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#handle(request),
    );
    this.#base = `http://127.0.0.1:${this.#server.addr.port}`;
    this.directoryUrl = `${this.#base}/directory`;
  }

  static async start(): Promise<ScriptedAuthority> {
    return new ScriptedAuthority(await SigningKey.generate());
  }

  /** How often a resource was asked for. */
  count(resource: string): number {
    return this.requests.filter((request) => request.resource === resource).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #handle(request: Request): Promise<Response> {
    const [, resource, id = ""] = new URL(request.url).pathname.split("/");
    const text = await request.text();
    const jws = text === "" ? { protected: "e30", payload: "" } : JSON.parse(text);
    const header = JSON.parse(decoded(jws.protected));
    const seen = { resource, header, payload: jws.payload === "" ? undefined : JSON.parse(decoded(jws.payload)) };
    this.requests.push(seen);
    return await this.fault?.(seen) ?? await this.#usual(seen, Number(id));
  }

  async #usual({ resource, payload }: AuthorityRequest, id: number): Promise<Response> {
    const url = (path: string) => `${this.#base}/${path}`;
    const one = this.#orders[id];
    const order = () => ({
      status: one.chain !== undefined ? "valid" : one.ready ? "ready" : "pending",
      authorizations: [url(`authorization/${id}`)],
      finalize: url(`finalize/${id}`),
      certificate: one.chain === undefined ? undefined : url(`certificate/${id}`),
    });
    switch (resource) {
      case "directory":
        return json({
          ...{ newNonce: url("nonce"), newAccount: url("account"), newOrder: url("order") },
          ...(this.window === undefined ? {} : { renewalInfo: url("renewal") }),
        });
      case "nonce":
        return json({});
      case "account":
        return json({ status: "valid" }, { status: 201, headers: { location: url("account/1") } });
      case "order": {
        if (payload === undefined) return json(order());
        const [{ value }] = (payload as { identifiers: { value: string }[] }).identifiers;
        const place = this.#orders.push({ name: value, ready: false }) - 1;
        return await this.#usual({ resource, payload: undefined, header: {} }, place)
          .then((response) => withLocation(response, url(`order/${place}`)));
      }
      case "authorization":
        return json({
          status: one.ready ? "valid" : "pending",
          challenges: [{ type: "http-01", url: url(`challenge/${id}`), token: "a-token-of-the-test-0123456789" }],
        });
      case "challenge":
        one.ready = true;
        return json({});
      case "finalize":
        one.chain = await this.#issue(one.name, (payload as { csr: string }).csr);
        this.issued.push(one.name);
        return json(order());
      case "certificate":
        return new Response(one.chain, { headers: { "replay-nonce": nonce() } });
      case "renewal": {
        const [start, end] = (this.window ?? [0, 0]).map((ms) => new Date(ms).toISOString());
        return json({ suggestedWindow: { start, end } }, { headers: { "retry-after": "21600" } });
      }
      default:
        return new Response("not found", { status: 404 });
    }
  }

  /** The key of the request is taken from it by OpenSSL's rules: it is the last SubjectPublicKeyInfo in it. */
  async #issue(name: string, csr: string): Promise<string> {
    const bytes = decodeBase64(csr);
    const start = PUBLIC_KEY_START.length;
    const at = find(bytes, PUBLIC_KEY_START);
    const publicKeyInfo = bytes.slice(at, at + start + 65);
    const nowMs = Date.now();
    return await issueCertificate({
      ...{ subject: "", issuer: "Scripted authority", names: [name], issuerKey: this.#key },
      ...{ notBeforeMs: nowMs, notAfterMs: nowMs + this.lifetimeMs },
      key: { publicKeyInfo: () => Promise.resolve(publicKeyInfo) } as unknown as SigningKey,
    });
  }
}

// SubjectPublicKeyInfo of a P-256 key, until the point.
const PUBLIC_KEY_START = Uint8Array.from(
  [
    0x30,
    0x59,
    0x30,
    0x13,
    0x06,
    0x07,
    0x2a,
    0x86,
    0x48,
    0xce,
    0x3d,
    0x02,
    0x01,
    0x06,
    0x08,
    0x2a,
    0x86,
    0x48,
    0xce,
    0x3d,
  ]
    .concat([0x03, 0x01, 0x07, 0x03, 0x42, 0x00]),
);

function find(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++) if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  throw new Error("Cannot find a key in the request");
}

function decoded(text: string): string {
  return new TextDecoder().decode(decodeBase64(text));
}

function nonce(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(8)));
}

function json(body: unknown, init: ResponseInit = {}): Response {
  const headers = { "content-type": "application/json", "replay-nonce": nonce(), ...init.headers };
  return new Response(JSON.stringify(body), { ...init, headers });
}

async function withLocation(response: Response, location: string): Promise<Response> {
  return new Response(await response.text(), {
    status: 201,
    headers: { ...Object.fromEntries(response.headers), location },
  });
}
