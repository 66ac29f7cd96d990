/**
 * Header fields of responses: those of `[sites.headers]` on every response of a site, and the changes of
 * `[sites.proxy.headers]` to responses of upstreams. It alone decides which of several values for one name is sent.
 *
 * @module
 */

import { headerTable } from "../config/header_fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
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
  schema: headerTable().prefault({}).describe("Header fields of every response of the site."),
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
  /** Names of upstreams' fields that are removed or replaced, in lower case. */
  readonly #dropped: ReadonlySet<string>;
  /** Lines for responses of upstreams. */
  readonly #added: readonly string[];

  /**
   * @param set `[sites.headers]`, as lines.
   * @param changes `[sites.proxy.headers]`, if the site has a proxy.
   */
  constructor(set: readonly string[], changes: ProxyConfig["headers"] | undefined) {
    this.#set = eachOnce(set);
    // A value of `headers.response.set` is for upstreams alone, so it takes precedence over one of `[sites.headers]`.
    const own = eachOnce(Object.entries(changes?.response.set ?? {}).flat());
    const ownNames = names(own);
    const shared = this.#set.filter((_, index) => !ownNames.includes(this.#set[index & ~1].toLowerCase()));
    const replaced = [...own, ...shared];
    const dropped = [...changes?.remove ?? [], ...changes?.response.remove ?? [], ...names(replaced)];
    // Rules must not change the framing.
    this.#dropped = new Set(dropped.filter((name) => name !== "content-length"));
    const added = [...Object.entries(changes?.add ?? {}), ...Object.entries(changes?.response.add ?? {})];
    this.#added = [...replaced, ...added.flat()];
    this.changesNothing = this.#set.length === 0 && this.#dropped.size === 0 && this.#added.length === 0;
  }

  /** Changes the lines of a response. */
  fields({ fromUpstream }: Exchange, lines: HeaderLines): void {
    if (!fromUpstream) {
      for (let i = 0; i < this.#set.length; i += 2) setHeader(lines, this.#set[i], this.#set[i + 1]);
      return;
    }
    removeHeaders(lines, this.#dropped);
    for (let i = 0; i < this.#added.length; i++) lines.push(this.#added[i]);
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
