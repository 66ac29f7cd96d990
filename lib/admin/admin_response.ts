/**
 * Responses of the management listener. All have the same header fields for safety; errors are problem details
 * (RFC 9457).
 *
 * @module
 */

// @ts-types="../../types/std/http-status.d.ts"
import { STATUS_TEXT } from "@std/http/status";
import { DASHBOARD_HEADERS } from "./dashboard/assets.ts";

/** Header fields of all responses but the dashboard's files. */
const API_HEADERS: Readonly<Record<string, string>> = { ...DASHBOARD_HEADERS, "cache-control": "no-store" };

/** Members and header fields of a problem besides its status and its sentence. */
export interface ProblemExtras {
  /** Further members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A response with a body of `type`. */
export function response(
  body: BodyInit | null,
  type: string,
  options: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Response {
  const { status = 200, headers = {} } = options;
  return new Response(body, { status, headers: { ...API_HEADERS, ...headers, "content-type": type } });
}

/** A response in JSON. */
export function json(value: unknown, options: { status?: number; headers?: Readonly<Record<string, string>> } = {}) {
  return response(JSON.stringify(value) + "\n", "application/json", options);
}

/** A response without a body. */
export function nothing(status: 204 | 304 = 204): Response {
  return new Response(null, { status, headers: API_HEADERS });
}

/**
 * An error response.
 *
 * @param detail A sentence for the operator; also in `error`.
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
  return response(JSON.stringify(body) + "\n", "application/problem+json", { status, headers });
}

/** Thrown to refuse a request. */
export class AdminRefusal extends Error {
  override readonly name = "AdminRefusal";
  /** Status of the response. */
  readonly status: number;
  /** Further members and header fields of the response. */
  readonly extras: ProblemExtras;

  /** @param detail A sentence for the operator. */
  constructor(status: number, detail: string, extras: ProblemExtras = {}) {
    super(detail);
    this.status = status;
    this.extras = extras;
  }
}
