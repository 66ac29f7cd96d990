/**
 * Texts with placeholders in the access log: those of the rest of the config, and some more that an exchange has at its end. No
 * placeholder shows a secret.
 *
 * @module
 */

import type { Fault } from "../../config/fields.ts";
import { nearestName } from "../../config/nearest_name.ts";
import { isSecretField } from "../../config/secret_names.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { FACTS, NAMED_FACTS } from "../../exchange/placeholder_values.ts";
import { placeholderPieces } from "../../exchange/placeholders.ts";
import { type AccessLevel, commonTime, isoTime, milliseconds } from "../../log/access_line.ts";
import { shownQuery, shownTarget } from "../../log/shown_query.ts";

/** A value of a line; empty where nothing is known. */
export type LogValue = (exchange: Exchange, level: AccessLevel) => string;

/** Names of the fields of responses that lines have, in lower case. Filled while a format is compiled. */
export type ResponseFields = string[];

/** Placeholders that the access log has besides, or with another value: at its end an exchange is known whole. */
const VALUES: Readonly<Record<string, LogValue>> = {
  "level": (_, level) => level,
  "uri": ({ path, query }) => shownTarget(path, query),
  "query": ({ query }) => shownQuery(query).slice(1),
  "time.iso": isoTime,
  "time.common": commonTime,
  "bytes": ({ bytes }) => String(bytes),
  "bytes.in": ({ receivedBytes }) => String(receivedBytes),
  "duration": ({ durationMs }) => milliseconds(durationMs),
  "duration.seconds": ({ durationMs }) => (durationMs / 1000).toFixed(3),
  "upstream.duration": ({ upstreamMs }) => upstreamMs < 0 ? "" : milliseconds(upstreamMs),
  "upstream.duration.seconds": ({ upstreamMs }) => upstreamMs < 0 ? "" : (upstreamMs / 1000).toFixed(3),
  "cause": ({ cause }) => cause,
  "cause.owner": ({ causeOwner }) => causeOwner,
  "close.code": ({ closeCode }) => closeCode === 0 ? "" : String(closeCode),
};
/** Placeholders whose values are numbers. */
const NUMBERS: ReadonlySet<string> = new Set([
  ...["status", "bytes", "bytes.in", "duration", "duration.seconds", "upstream.duration", "upstream.duration.seconds"],
  ...["attempts", "close.code", "time.unix", "port", "client.port"],
]);
/** Their values may hold URLs with queries. */
const URLS: ReadonlySet<string> = new Set(["referer", "location", "content-location", "refresh"]);

/** The pieces of a text, with the values of its placeholders. */
export interface LogText {
  readonly pieces: readonly (string | LogValue)[];
  /** Whether it is one placeholder whose value is a number. */
  readonly numeric: boolean;
}

/**
 * Compiles a text.
 *
 * @param fields Takes the fields of responses that it has.
 * @throws {SyntaxError} When it has a placeholder that is not known, or that would show secrets.
 */
export function compileLogText(source: string, fields: ResponseFields): LogText {
  const pieces = placeholderPieces(source).map((piece) =>
    typeof piece === "string" ? piece : valueOf(piece.name, fields)
  );
  const only = pieces.length === 1 && typeof pieces[0] !== "string" ? source.slice(1, -1) : "";
  return { pieces, numeric: NUMBERS.has(only) };
}

/** What is wrong with a text. */
export function logTextFault(source: string): Fault | undefined {
  try {
    compileLogText(source, []);
    return undefined;
  } catch (error) {
    return { message: (error as Error).message, expected: "placeholders that the access log has" };
  }
}

/** The value of a field of responses, as the filter of the access log has kept it. */
export function responseValue(name: string, fields: ResponseFields): LogValue {
  const lower = name.toLowerCase();
  const known = fields.indexOf(lower);
  const index = known < 0 ? fields.push(lower) - 1 : known;
  return URLS.has(lower)
    ? ({ loggedFields }) => shownQuery(loggedFields?.[index] ?? "")
    : ({ loggedFields }) => loggedFields?.[index] ?? "";
}

/** The value of a field of requests. */
export function requestValue(name: string): LogValue {
  const value = NAMED_FACTS.header.value(name);
  return URLS.has(name.toLowerCase())
    ? (exchange) => shownQuery(value(exchange, NO_PARTS))
    : (exchange) => value(exchange, NO_PARTS);
}

function valueOf(name: string, fields: ResponseFields): LogValue {
  if (Object.hasOwn(VALUES, name)) return VALUES[name];
  if (Object.hasOwn(FACTS, name)) {
    const { value } = FACTS[name];
    return (exchange) => value(exchange, NO_PARTS);
  }
  const dot = name.indexOf(".");
  const [group, own] = [name.slice(0, dot), name.slice(dot + 1)];
  if (group === "cookie" || (GROUPS.has(group) && isSecretField(own))) {
    throw new SyntaxError(`{${name}} would show a secret`);
  }
  if (group === "header") return requestValue(own);
  if (group === "response") return responseValue(own, fields);
  if (group === "query") {
    const value = NAMED_FACTS.query.value(own);
    return (exchange) => value(exchange, NO_PARTS);
  }
  const names = [...Object.keys(VALUES), ...Object.keys(FACTS)];
  const nearest = nearestName(name, names);
  const all = [...new Set(names)].sort().concat([...GROUPS].map((one) => `${one}.NAME`));
  throw new SyntaxError(
    `{${name}} is not known, ${
      nearest === undefined ? `only ${all.map((one) => `{${one}}`).join(", ")}` : `did you mean {${nearest}}?`
    }`,
  );
}

const GROUPS: ReadonlySet<string> = new Set(["header", "response", "query"]);
const NO_PARTS = {};
