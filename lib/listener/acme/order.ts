/**
 * One order: from a name to its certificate (RFC 8555, section 7.4).
 *
 * @module
 */

import type { AcmeAccount } from "./acme_account.ts";
import { AcmeError, objectOf, problemError } from "./acme_error.ts";
import { type AcmeResponse, retryTime } from "./acme_session.ts";
import { encodeBase64Url } from "./base64.ts";
import type { ChallengeSolver } from "./challenge.ts";
import { pemBlocks } from "./pem.ts";
import { type KeyType, SigningKey } from "./signing_key.ts";
import { isIpAddress } from "../../http/ip_address.ts";
import { certificateRequest } from "./x509.ts";

/** What is ordered. */
export interface OrderRequest {
  /** DNS name, `*.` and a DNS name, or an IP address. */
  readonly name: string;
  /** Ways to prove control of the name; the first that the authority offers is used. */
  readonly solvers: readonly ChallengeSolver[];
  /** Identifier of the certificate that is renewed (RFC 9773, section 5); undefined for a first one. */
  readonly replaces: string | undefined;
  /** Kind of the certificate's key. */
  readonly keyType: KeyType;
  /** Ends the order early. */
  readonly signal: AbortSignal;
}

/** A certificate that was issued. */
export interface IssuedCertificate {
  /** PEM, the certificate first. */
  readonly chain: string;
  /** Private key, PEM. */
  readonly key: string;
}

/**
 * Orders a certificate and waits for it.
 *
 * @throws {AcmeError} When the authority refuses, or cannot be reached.
 */
export async function orderCertificate(account: AcmeAccount, request: OrderRequest): Promise<IssuedCertificate> {
  const { name, signal } = request;
  const { url, order } = await newOrder(account, request);
  for (const authorization of urls(order.authorizations)) await authorize(account, authorization, request);
  const ready = await polled(account, url, signal, (one) => one.status !== "pending");
  if (ready.status === "invalid") throw problemError("The order failed", ready.error ?? { detail: ready.status });
  const key = await SigningKey.generate(request.keyType);
  const finalize = textOf(order.finalize, "finalize");
  const csr = encodeBase64Url(await certificateRequest([name], key));
  await account.post(finalize, { csr }, "Cannot finalize the order", signal);
  const done = await polled(account, url, signal, (one) => one.status !== "processing" && one.status !== "ready");
  if (done.status !== "valid") throw problemError("The order failed", done.error ?? { detail: done.status });
  const certificate = textOf(done.certificate, "certificate");
  return { chain: await chosenChain(account, certificate, signal), key: await key.pem() };
}

async function newOrder(account: AcmeAccount, { name, replaces, signal }: OrderRequest) {
  const { newOrder, renewalInfo } = await account.directory(signal);
  const identifiers = [{ type: isIpAddress(name) ? "ip" : "dns", value: name }];
  const what = "Cannot order a certificate";
  const send = async (more: object) => {
    const response = await account.post(newOrder, { identifiers, ...more }, what, signal);
    const url = response.headers.get("location");
    if (url === null) throw new AcmeError(`${what}: the response has no Location`);
    return { url, order: resource(response) };
  };
  if (replaces === undefined || renewalInfo === undefined) return await send({});
  try {
    return await send({ replaces });
  } catch (error) {
    // The certificate was replaced by another order, or comes from another authority (RFC 9773, section 5).
    const refused = error instanceof AcmeError && ["alreadyReplaced", "malformed", "unauthorized"].includes(error.type);
    if (!refused) throw error;
    return await send({});
  }
}

async function authorize(account: AcmeAccount, url: string, { name, solvers, signal }: OrderRequest): Promise<void> {
  const authorization = resource(await account.post(url, undefined, "Cannot read an authorization", signal));
  // Authorities use those of earlier orders again.
  if (authorization.status === "valid") return;
  const offered = Array.isArray(authorization.challenges) ? authorization.challenges.map(objectOf) : [];
  const solver = solvers.find(({ type }) => offered.some((challenge) => challenge?.type === type));
  const challenge = offered.find((one) => one?.type === solver?.type);
  if (solver === undefined || challenge === undefined) {
    const types = offered.map((one) => String(one?.type)).join(", ") || "none";
    const have = solvers.map(({ type }) => type).join(", ") || "none";
    throw new AcmeError(`Cannot prove control of ${name}: the authority offers ${types}, the config has ${have}`, {
      type: "unsupportedIdentifier",
    });
  }
  const token = textOf(challenge.token, "token");
  const keyAuthorization = await account.keyAuthorization(token, signal);
  await using _proof = await solver.solve({ name: name.replace(/^\*\./, ""), token, keyAuthorization }, signal);
  await account.post(textOf(challenge.url, "url"), {}, "Cannot begin the challenge", signal);
  const judged = await polled(account, url, signal, ({ status }) => status !== "pending");
  if (judged.status === "valid") return;
  const challenges = Array.isArray(judged.challenges) ? judged.challenges.map(objectOf) : [];
  const failed = challenges.find((one) => one?.error !== undefined)?.error;
  throw problemError(
    `The challenge ${solver.type} failed`,
    failed ?? { detail: `the authorization is ${judged.status}` },
  );
}

/** Reads a resource until `settled`. Pauses as the server says, else longer each time. */
async function polled(
  account: AcmeAccount,
  url: string,
  signal: AbortSignal,
  settled: (resource: Resource) => boolean,
): Promise<Resource> {
  for (let polls = 0;; polls++) {
    const response = await account.post(url, undefined, "Cannot read the state of the order", signal);
    const found = resource(response);
    if (settled(found)) return found;
    const wantedMs = (retryTime(response.headers) ?? 0) - Date.now();
    await pause(Math.min(Math.max(wantedMs, FIRST_POLL_MS * 1.5 ** polls), LONGEST_POLL_MS), signal);
  }
}

/** The chain that was issued, or an alternative one (RFC 8555, section 7.4.2) in which the preferred issuer stands. */
async function chosenChain(account: AcmeAccount, url: string, signal: AbortSignal): Promise<string> {
  const what = "Cannot read the certificate";
  const first = await account.post(url, undefined, what, signal);
  const { preferredChain } = account.settings;
  const read = (response: AcmeResponse) => {
    const blocks = pemBlocks(response.text).filter(({ label }) => label === "CERTIFICATE");
    if (blocks.length === 0) throw new AcmeError(`${what}: the response has none`);
    return blocks.map(({ text }) => text).join("");
  };
  if (preferredChain === undefined) return read(first);
  const links = (first.headers.get("link") ?? "").matchAll(/<([^>]+)>\s*;\s*rel="?alternate"?/g);
  for (const chain of [read(first), ...[...links].slice(0, MOST_CHAINS).map(([, link]) => new URL(link, url).href)]) {
    const text = chain.startsWith("-----") ? chain : read(await account.post(chain, undefined, what, signal));
    if (await issuedBy(text, preferredChain)) return text;
  }
  return read(first);
}

async function issuedBy(chain: string, commonName: string): Promise<boolean> {
  const { X509Certificate } = await import("node:crypto");
  return pemBlocks(chain).some(({ text }) => new X509Certificate(text).issuer.split("\n").includes(`CN=${commonName}`));
}

type Resource = Readonly<Record<string, unknown>>;

function resource({ body }: AcmeResponse): Resource {
  const found = objectOf(body);
  if (found === undefined) throw new AcmeError("Cannot read a response of the authority: it is no JSON object");
  return found;
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new AcmeError(`Cannot read a response of the authority: ${name} is missing`);
}

function urls(value: unknown): string[] {
  const found = Array.isArray(value) ? value.filter((url) => typeof url === "string") : [];
  if (found.length === 0) throw new AcmeError("Cannot read a response of the authority: authorizations are missing");
  return found;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 30_000;
const MOST_CHAINS = 8;
