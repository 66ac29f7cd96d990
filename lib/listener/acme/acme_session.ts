/**
 * Requests to one ACME server: its directory, nonces, signatures, time limits, and its problem documents
 * (RFC 8555, sections 6 and 7.1.1).
 *
 * @module
 */

import { AcmeError, objectOf, problemError } from "./acme_error.ts";
import { signedJws } from "./jws.ts";
import type { SigningKey } from "./signing_key.ts";

/** A response. */
export interface AcmeResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The body, parsed where it is JSON. */
  readonly body: unknown;
  readonly text: string;
}

/** Addresses of the resources of a server. */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** Undefined where the server has no renewal information (RFC 9773). */
  readonly renewalInfo: string | undefined;
  /** Whether an account needs an external binding. */
  readonly bindingRequired: boolean;
}

/** Options of {@linkcode AcmeSession}. */
export interface AcmeSessionOptions {
  /** URL of the directory. */
  readonly directoryUrl: string;
  /** Certificates of authorities for the connection, PEM; the runtime's without it. */
  readonly authorities?: string;
  /**
   * Time for one request, in milliseconds.
   *
   * @default {30000}
   */
  readonly timeoutMs?: number;
}

/** Requests to one server. Owned by its {@linkcode AcmeAccount}. */
export class AcmeSession {
  readonly directoryUrl: string;
  readonly #client: Deno.HttpClient | undefined;
  readonly #timeoutMs: number;
  readonly #nonces: string[] = [];
  #directory: Promise<Directory> | undefined;

  constructor({ directoryUrl, authorities, timeoutMs = 30_000 }: AcmeSessionOptions) {
    this.directoryUrl = directoryUrl;
    this.#timeoutMs = timeoutMs;
    if (authorities !== undefined) this.#client = Deno.createHttpClient({ caCerts: [authorities] });
  }

  /** Releases its connections. */
  close(): void {
    this.#client?.close();
  }

  /**
   * The directory, which is read once a session.
   *
   * @throws {AcmeError} When the server cannot be reached, or this is no directory.
   */
  directory(signal?: AbortSignal): Promise<Directory> {
    this.#directory ??= this.#readDirectory(signal).catch((error) => {
      this.#directory = undefined;
      throw error;
    });
    return this.#directory;
  }

  /** Reads a resource that needs no signature. */
  async get(url: string, signal?: AbortSignal): Promise<AcmeResponse> {
    const response = await this.#fetch(url, { method: "GET" }, signal);
    return accepted(response, `Cannot read ${url}`);
  }

  /**
   * Sends a signed request. One that is refused for its nonce is sent again with another one (RFC 8555, section 6.5).
   *
   * @param identity The account's URL, or its public key where it has none yet.
   * @param payload Undefined to read the resource.
   * @throws {AcmeError} When the server cannot be reached or refuses.
   */
  async post(url: string, payload: unknown, { key, identity, signal, what }: PostOptions): Promise<AcmeResponse> {
    for (let tries = 1;; tries++) {
      const nonce = this.#nonces.pop() ?? await this.#newNonce(signal);
      const body = JSON.stringify(await signedJws(key, { ...identity, nonce, url }, payload));
      const headers = { "content-type": "application/jose+json" };
      const response = await this.#fetch(url, { method: "POST", headers, body }, signal);
      const nonceRefused = response.status === 400 && objectOf(response.body)?.type === BAD_NONCE;
      if (nonceRefused && tries < MOST_NONCES) continue;
      return accepted(response, what);
    }
  }

  async #readDirectory(signal: AbortSignal | undefined): Promise<Directory> {
    const { body } = await this.get(this.directoryUrl, signal);
    const url = (name: string) => {
      const value = objectOf(body)?.[name];
      return typeof value === "string" && URL.canParse(value) ? value : undefined;
    };
    const [newNonce, newAccount, newOrder] = ["newNonce", "newAccount", "newOrder"].map(url);
    if (newNonce === undefined || newAccount === undefined || newOrder === undefined) {
      throw new AcmeError(`Cannot use ${this.directoryUrl}: this is no directory of an ACME server`);
    }
    const bindingRequired = objectOf(objectOf(body)?.meta)?.externalAccountRequired === true;
    return { newNonce, newAccount, newOrder, renewalInfo: url("renewalInfo"), bindingRequired };
  }

  async #newNonce(signal: AbortSignal | undefined): Promise<string> {
    const { newNonce } = await this.directory(signal);
    const response = await this.#fetch(newNonce, { method: "HEAD" }, signal);
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new AcmeError(`Cannot get a nonce: status ${response.status} and no Replay-Nonce`);
    return nonce;
  }

  async #fetch(url: string, init: RequestInit, signal: AbortSignal | undefined): Promise<AcmeResponse> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const limit = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    try {
      const options = { ...init, client: this.#client, signal: limit, redirect: "error" } as const;
      const response = await fetch(url, { ...options, headers: { "user-agent": "bws", ...init.headers } });
      const text = await boundedText(response);
      const { status, headers } = response;
      const nonce = headers.get("replay-nonce");
      if (nonce !== null && this.#nonces.length < MOST_KEPT_NONCES) this.#nonces.push(nonce);
      return { status, headers, text, body: jsonOf(text, headers) };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const host = URL.parse(url)?.host ?? url;
      if (timeout.aborted) throw new AcmeError(`No response from ${host} within ${this.#timeoutMs / 1000} s`);
      throw new AcmeError(`Cannot reach ${host}: ${rootCause(error)}`, { cause: error });
    }
  }
}

/** Who sends a request, and what for. */
export interface PostOptions {
  readonly key: SigningKey;
  readonly identity: Readonly<Record<"kid", string> | Record<"jwk", unknown>>;
  readonly signal?: AbortSignal;
  /** What could not be done if it is refused, as `Cannot order a certificate`. */
  readonly what: string;
}

/** @throws {AcmeError} When the status is not 2xx. */
function accepted(response: AcmeResponse, what: string): AcmeResponse {
  const { status, body, headers } = response;
  if (status >= 200 && status < 300) return response;
  const retryAtMs = retryTime(headers) ?? 0;
  if (objectOf(body)?.type !== undefined || objectOf(body)?.detail !== undefined) {
    throw problemError(what, body, { retryAtMs });
  }
  throw new AcmeError(`${what}: status ${status}`, { retryAtMs });
}

/** When Retry-After (RFC 9110, section 10.2.3) allows another request, in milliseconds since 1970. */
export function retryTime(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Date.now() + Number(value) * 1000 : Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > MOST_BYTES) throw new Error(`the response has more than ${MOST_BYTES} bytes`);
  }
  return text + decoder.decode();
}

function jsonOf(text: string, headers: Headers): unknown {
  if (!/\bjson\b/.test(headers.get("content-type") ?? "")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The innermost cause, which names the address, the error of the system, or the fault of the certificate. */
function rootCause(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}

const BAD_NONCE = "urn:ietf:params:acme:error:badNonce";
/** Requests with different nonces for one request of ours; servers refuse few, and pebble as many as it is told to. */
const MOST_NONCES = 10;
const MOST_KEPT_NONCES = 16;
const MOST_BYTES = 256 * 1024;
