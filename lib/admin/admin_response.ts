/**
 * Answers of the management listener. All have the same header fields for safety; errors are problem details
 * (RFC 9457).
 *
 * @module
 */

// @ts-types="../../types/std/http-status.d.ts"
import { STATUS_TEXT } from "@std/http/status";
import { DASHBOARD_HEADERS } from "./dashboard/assets.ts";

/** Header fields of everything but the dashboard's files. */
const API_HEADERS: Readonly<Record<string, string>> = { ...DASHBOARD_HEADERS, "cache-control": "no-store" };

/** What a problem has besides its status and its sentence. */
export interface ProblemExtras {
  /** Further members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer with a body of `type`. */
export function answer(
  body: BodyInit | null,
  type: string,
  options: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Response {
  const { status = 200, headers = {} } = options;
  return new Response(body, { status, headers: { ...API_HEADERS, ...headers, "content-type": type } });
}

/** An answer in JSON. */
export function json(value: unknown, options: { status?: number; headers?: Readonly<Record<string, string>> } = {}) {
  return answer(JSON.stringify(value) + "\n", "application/json", options);
}

/** An answer without a body. */
export function nothing(status: 204 | 304 = 204): Response {
  return new Response(null, { status, headers: API_HEADERS });
}

/**
 * An error.
 *
 * @param detail A sentence for the operator; `error` holds it as well.
 */
export function problem(status: number, detail: string, { members = {}, headers = {} }: ProblemExtras = {}): Response {
  const body = {
    type: "about:blank",
    title: STATUS_TEXT[status] ?? "Error",
    status,
    detail,
    error: detail,
    ...members,
  };
  return answer(JSON.stringify(body) + "\n", "application/problem+json", { status, headers });
}

/** A request that is refused, from wherever it is noticed. */
export class AdminRefusal extends Error {
  override readonly name = "AdminRefusal";
  /** Status for the caller. */
  readonly status: number;
  /** What else the answer has. */
  readonly extras: ProblemExtras;

  /** @param detail A sentence for the operator. */
  constructor(status: number, detail: string, extras: ProblemExtras = {}) {
    super(detail);
    this.status = status;
    this.extras = extras;
  }
}
