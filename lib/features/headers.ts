/**
 * Header fields of responses: those of `[sites.headers]` on every response of a site, and the changes of
 * `[sites.proxy.headers]` to responses of upstreams. It alone decides which of several values for one name is sent.
 *
 * @module
 */

import { headerTable } from "../config/header_fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { type FieldTexts, fieldTexts } from "../exchange/field_text.ts";
import { fieldValueAt } from "../exchange/field_value.ts";
import type { Filter } from "../exchange/filter.ts";
import type { ProxyConfig } from "../handlers/proxy/config/proxy_schema.ts";
import { removeHeaders, setHeader } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import type { Feature } from "./feature.ts";

/** `[sites.headers]`. */
export const headers = {
  key: "headers",
  scopes: ["site"],
  routeKeys: ["headers"],
  order: 600,
  schema: headerTable(fieldValueAt("responded")).prefault({}).describe(
    "Header fields of every response of the site; [sites.response_headers] has more keys.",
  ),
  compile: (set, { proxy }) => {
    const fields = new ResponseFields(Object.entries(set).flat(), proxy?.headers);
    return fields.changesNothing ? undefined : fields;
  },
} as const satisfies Feature<Record<string, string>>;

/** The fields of one site's responses; built once. */
export class ResponseFields implements Filter {
  /** Whether the filter has no effect. */
  readonly changesNothing: boolean;
  /** `[sites.headers]`, `[name, value, …]`, each name once. */
  readonly #set: readonly string[];
  /** Those of `[sites.headers]` with placeholders; undefined where there are none. */
  readonly #made: FieldTexts | undefined;
  /** Names of upstreams' fields that are removed or replaced, in lower case. */
  readonly #dropped: ReadonlySet<string>;
  /** Lines for responses of upstreams. */
  readonly #added: readonly string[];
  /** Those for responses of upstreams with placeholders; undefined where there are none. */
  readonly #madeForUpstreams: FieldTexts | undefined;

  /**
   * @param set `[sites.headers]`, as lines.
   * @param changes `[sites.proxy.headers]`, if the site has a proxy.
   */
  constructor(set: readonly string[], changes: ProxyConfig["headers"] | undefined) {
    const everywhere = eachOnce(set);
    // A value of `headers.response.set` is for upstreams alone, so it takes precedence over one of `[sites.headers]`.
    const own = eachOnce(Object.entries(changes?.response.set ?? {}).flat());
    const ownNames = names(own);
    const shared = everywhere.filter((_, index) => !ownNames.includes(everywhere[index & ~1].toLowerCase()));
    const replaced = [...own, ...shared];
    const dropped = [...changes?.remove ?? [], ...changes?.response.remove ?? [], ...names(replaced)];
    // Rules must not change the framing.
    this.#dropped = new Set(dropped.filter((name) => name !== "content-length"));
    const added = [...Object.entries(changes?.add ?? {}), ...Object.entries(changes?.response.add ?? {})];
    const { lines, made } = fieldTexts(pairs(everywhere), "responded");
    this.#set = lines;
    this.#made = made.length === 0 ? undefined : made;
    const forUpstreams = fieldTexts([...pairs(replaced), ...added], "responded");
    this.#added = forUpstreams.lines;
    this.#madeForUpstreams = forUpstreams.made.length === 0 ? undefined : forUpstreams.made;
    this.changesNothing = everywhere.length + this.#dropped.size + this.#added.length === 0 &&
      this.#madeForUpstreams === undefined;
  }

  /** Changes the lines of a response. */
  fields(exchange: Exchange, lines: HeaderLines): void {
    if (!exchange.fromUpstream) {
      for (let i = 0; i < this.#set.length; i += 2) setHeader(lines, this.#set[i], this.#set[i + 1]);
      if (this.#made !== undefined) setMade(exchange, lines, this.#made);
      return;
    }
    removeHeaders(lines, this.#dropped);
    for (let i = 0; i < this.#added.length; i++) lines.push(this.#added[i]);
    if (this.#madeForUpstreams !== undefined) addMade(exchange, lines, this.#madeForUpstreams);
  }
}

/** Sets fields whose values are made; one whose value is empty is removed. */
export function setMade(exchange: Exchange, lines: HeaderLines, made: FieldTexts): void {
  for (const [name, text] of made) {
    const value = text.value(exchange);
    if (value === "") removeHeaders(lines, new Set([name.toLowerCase()]));
    else setHeader(lines, name, value);
  }
}

/** Adds fields whose values are made, but those whose value is empty. */
export function addMade(exchange: Exchange, lines: HeaderLines, made: FieldTexts): void {
  for (const [name, text] of made) {
    const value = text.value(exchange);
    if (value !== "") lines.push(name, value);
  }
}

// Names are compared without case; the last value counts.
function eachOnce(lines: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 2) setHeader(kept, lines[i], lines[i + 1]);
  return kept;
}

function names(lines: readonly string[]): string[] {
  return lines.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
}

function pairs(lines: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i < lines.length; i += 2) list.push([lines[i], lines[i + 1]]);
  return list;
}
