/**
 * Why a certificate could not be had, in the words of the authority (RFC 8555, section 6.7).
 *
 * @module
 */

/** The prefix of the types of problems that ACME defines. */
const ACME_TYPE = "urn:ietf:params:acme:error:";

/** A failure of an order. */
export class AcmeError extends Error {
  override readonly name = "AcmeError";
  /** Type of the problem without the prefix of ACME, as `rateLimited`; empty where there is no problem document. */
  readonly type: string;
  /** Time until which the authority takes no other try, in milliseconds since 1970; 0 where it names none. */
  readonly retryAtMs: number;

  constructor(message: string, { type = "", retryAtMs = 0, cause }: AcmeErrorOptions = {}) {
    super(message, { cause });
    this.type = type;
    this.retryAtMs = retryAtMs;
  }

  /** Whether the authority has found the name, or its DNS or server, at fault: another try soon has the same result. */
  get concernsName(): boolean {
    return CONCERNS_NAME.has(this.type);
  }
}

/** What is known of a failure. */
export interface AcmeErrorOptions {
  /**
   * Type of the problem, without the prefix of ACME.
   *
   * @default {""}
   */
  readonly type?: string;
  /**
   * When to try again, in milliseconds since 1970.
   *
   * @default {0}
   */
  readonly retryAtMs?: number;
  readonly cause?: unknown;
}

const CONCERNS_NAME: ReadonlySet<string> = new Set([
  ...["caa", "connection", "dns", "incorrectResponse", "rejectedIdentifier", "tls", "unauthorized"],
  ...["unsupportedIdentifier", "rateLimited", "dnsCommand"],
]);

/**
 * The failure that a problem document tells of.
 *
 * @param problem As it was parsed, from anybody.
 * @param what What could not be done, as `Cannot order a certificate`.
 */
export function problemError(what: string, problem: unknown, options: { retryAtMs?: number } = {}): AcmeError {
  const type = shortType(problem);
  const detail = detailOf(problem);
  const words = [type, detail].filter((part) => part !== "").join(": ");
  return new AcmeError(words === "" ? what : `${what}: ${words}`, { ...options, type });
}

function shortType(problem: unknown): string {
  const type = member(problem, "type");
  return type.startsWith(ACME_TYPE) ? type.slice(ACME_TYPE.length) : type === "about:blank" ? "" : type;
}

/** The sentence of a problem, with those of its parts (RFC 8555, section 6.7.1). */
function detailOf(problem: unknown): string {
  const own = member(problem, "detail") || member(problem, "title");
  const parts = objectOf(problem)?.subproblems;
  const inner = Array.isArray(parts) ? parts.slice(0, MOST_PARTS).map(detailOf).filter((text) => text !== "") : [];
  return [own, ...inner].filter((text) => text !== "").join("; ");
}

function member(value: unknown, name: string): string {
  const found = objectOf(value)?.[name];
  return typeof found === "string" ? printable(found) : "";
}

/** `value` if it is an object. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
}

// The text is shown to operators: in a log, in a terminal and in a page.
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, MOST_TEXT);
}

const MOST_PARTS = 10;
const MOST_TEXT = 500;
