/**
 * What a request's field names mean to the listener.
 *
 * @module
 */

import { isToken } from "../http/header_lines.ts";

/** Fields that the listener reads itself. */
export const enum FieldKind {
  Other,
  Host,
  ContentLength,
  TransferEncoding,
  Connection,
  Expect,
}

/** A field name that is a token. */
export interface RequestField {
  /** The name in lower case. */
  readonly lower: string;
  /** Which of the listener's own it is. */
  readonly kind: FieldKind;
  /** Whether several lines of it are read as one further down. */
  readonly joined: boolean;
}

// Names repeat from request to request: checked and put in lower case once. Clients choose them, so it is bounded.
const known = new Map<string, RequestField>();
const KNOWN_LIMIT = 2048;

/** The field called `name`, or undefined when that is no token. */
export function fieldOf(name: string): RequestField | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!isToken(name)) return undefined;
  const lower = name.toLowerCase();
  const field = {
    lower,
    kind: KINDS.get(lower) ?? FieldKind.Other,
    joined: JOINED.has(lower) || lower.startsWith("sec-websocket-"),
  };
  if (name.length <= 64 && known.size < KNOWN_LIMIT) known.set(name, field);
  return field;
}

const KINDS: ReadonlyMap<string, FieldKind> = new Map([
  ["host", FieldKind.Host],
  ["content-length", FieldKind.ContentLength],
  ["transfer-encoding", FieldKind.TransferEncoding],
  ["connection", FieldKind.Connection],
  ["expect", FieldKind.Expect],
]);
const JOINED: ReadonlySet<string> = new Set(["connection", "upgrade", "accept"]);
