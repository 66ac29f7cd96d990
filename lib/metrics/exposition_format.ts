/**
 * Which text format a scraper gets (RFC 9110, section 12.5.1).
 *
 * @module
 */

/** The two formats. */
export type ExpositionFormat = "prometheus" | "openmetrics";

/** What a scraper gets. */
export interface Negotiated {
  readonly format: ExpositionFormat;
  /** Value of Content-Type. */
  readonly contentType: string;
}

const PROMETHEUS: Offer = {
  ...{ format: "prometheus", contentType: "text/plain; version=0.0.4; charset=utf-8" },
  ...{ type: "text", subtype: "plain", versions: ["0.0.4"] },
};
const OPENMETRICS: Offer = {
  ...{ format: "openmetrics", contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8" },
  ...{ type: "application", subtype: "openmetrics-text", versions: ["1.0.0"] },
};
/** Longest Accept field that is read. */
const MAX_ACCEPT_LENGTH = 4096;
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * Chooses by the Accept field. Without a preference, without the field, or with neither format in it, the result is
 * the older format, which every scraper and every browser supports.
 *
 * @param accept Value of the field; null or undefined when there is none.
 *
 * @example
 * ```ts
 * import { negotiate } from "./exposition_format.ts";
 *
 * console.log(negotiate("application/openmetrics-text;version=1.0.0, text/plain;q=0.5").format); // openmetrics
 * ```
 */
export function negotiate(accept: string | null | undefined): Negotiated {
  const ranges = accept && accept.length <= MAX_ACCEPT_LENGTH ? readRanges(accept) : [];
  const { format, contentType } = qualityOf(OPENMETRICS, ranges) > qualityOf(PROMETHEUS, ranges)
    ? OPENMETRICS
    : PROMETHEUS;
  return { format, contentType };
}

interface Offer extends Negotiated {
  readonly type: string;
  readonly subtype: string;
  readonly versions: readonly string[];
}

interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly version: string | undefined;
  readonly quality: number;
}

/** The weight of an offer by the most specific range that matches it; 0 when none does. */
function qualityOf(offer: Offer, ranges: readonly MediaRange[]): number {
  let best = 0;
  let quality = 0;
  for (const range of ranges) {
    const specificity = fit(offer, range);
    if (specificity < best || specificity === 0) continue;
    // Of two equally specific ranges the greater weight counts.
    quality = specificity > best ? range.quality : Math.max(quality, range.quality);
    best = specificity;
  }
  return quality;
}

function fit(offer: Offer, range: MediaRange): number {
  if (range.version !== undefined && !offer.versions.includes(range.version)) return 0;
  const versioned = range.version === undefined ? 0 : 1;
  if (range.type === "*") return range.subtype === "*" ? 1 + versioned : 0;
  if (range.type !== offer.type) return 0;
  if (range.subtype === "*") return 3 + versioned;
  return range.subtype === offer.subtype ? 5 + versioned : 0;
}

/** Reads the ranges, without malformed ones. Parameters other than `version` and `q` are ignored. */
function readRanges(accept: string): MediaRange[] {
  const ranges: MediaRange[] = [];
  for (const member of splitUnquoted(accept, ",")) {
    const [name, ...parameters] = splitUnquoted(member, ";");
    const [type, subtype, ...rest] = name.trim().toLowerCase().split("/");
    const quality = parameterIn(parameters, "q") ?? "1";
    if (!type || !subtype || rest.length > 0 || !QUALITY.test(quality)) continue;
    ranges.push({ type, subtype, version: parameterIn(parameters, "version"), quality: Number(quality) });
  }
  return ranges;
}

function parameterIn(parameters: readonly string[], wanted: string): string | undefined {
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== wanted) continue;
    const value = parameter.slice(equals + 1).trim();
    if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
    return value.slice(1, -1).replace(/\\(.)/g, "$1");
  }
  return undefined;
}

function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') quoted = !quoted;
    else if (quoted && character === "\\") index++;
    else if (!quoted && character === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
