/**
 * Header fields of all responses of a site or a route, whoever made them: proxied ones, files, redirects, refusals. They may
 * depend on the status.
 *
 * @module
 */

import type { z } from "zod";
import { table, tables } from "../config/fields.ts";
import { headerNames, headerTable } from "../config/header_fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { type FieldTexts, fieldTexts } from "../exchange/field_text.ts";
import { fieldValueAt } from "../exchange/field_value.ts";
import type { Filter } from "../exchange/filter.ts";
import { removeHeaders, setHeader } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import { type StatusRange, within } from "../http/status_range.ts";
import { statusRanges } from "../upstream/config/status_range.ts";
import type { Feature } from "./feature.ts";
import { addMade, setMade } from "./headers.ts";

const values = () => headerTable(fieldValueAt("responded")).prefault({});

const changeKeys = {
  set: values().describe("Fields that replace all fields of their name."),
  add: values().describe("Fields that are added to those of their name."),
  remove: headerNames().prefault([]).describe("Names of fields that are removed."),
};

const schema = table({
  ...changeKeys,
  when: tables(table({
    status: statusRanges().describe('Statuses, such as 404, "5xx" or ["2xx", 304].'),
    ...changeKeys,
  })).prefault([]).describe("Changes to responses of some statuses, in their order, after the others."),
}).optional().describe(
  "Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and " +
    "headers.response of the proxy; those of a route after those of its site.",
);

type ResponseHeadersConfig = z.output<typeof schema>;
type ChangesConfig = z.output<z.ZodObject<typeof changeKeys>>;

/** `response_headers`. */
export const responseHeaders = {
  key: "response_headers",
  scopes: ["site", "route"],
  // Behind `headers` and before `security_headers` on the way up.
  order: 595,
  schema,
  compile: (options, { site, route }) => {
    const ofSite = route !== undefined && "response_headers" in site ? site.response_headers : undefined;
    const list = [ofSite as ResponseHeadersConfig, options].filter((one) => one !== undefined).flatMap(compiled);
    return list.length === 0 ? undefined : new ResponseHeaderChanges(list);
  },
} as const satisfies Feature<ResponseHeadersConfig>;

class ResponseHeaderChanges implements Filter {
  readonly #changes: readonly Changes[];

  /** @param changes In their order. */
  constructor(changes: readonly Changes[]) {
    this.#changes = changes;
  }

  fields(exchange: Exchange, lines: HeaderLines): void {
    for (const { statuses, removed, set, setTexts, added, addedTexts } of this.#changes) {
      if (statuses !== undefined && !within(exchange.status, statuses)) continue;
      if (removed.size > 0) removeHeaders(lines, removed);
      for (let i = 0; i < set.length; i += 2) setHeader(lines, set[i], set[i + 1]);
      if (setTexts.length > 0) setMade(exchange, lines, setTexts);
      for (let i = 0; i < added.length; i++) lines.push(added[i]);
      if (addedTexts.length > 0) addMade(exchange, lines, addedTexts);
    }
  }
}

/** One set of changes. */
interface Changes {
  /** undefined for all. */
  readonly statuses: readonly StatusRange[] | undefined;
  readonly removed: ReadonlySet<string>;
  readonly set: readonly string[];
  readonly setTexts: FieldTexts;
  readonly added: readonly string[];
  readonly addedTexts: FieldTexts;
}

function compiled({ when, ...always }: NonNullable<ResponseHeadersConfig>): Changes[] {
  return [changesOf(always), ...when.map(({ status, ...changes }) => changesOf(changes, status))]
    .filter((changes) => changes !== undefined);
}

function changesOf({ set, add, remove }: ChangesConfig, statuses?: readonly StatusRange[]): Changes | undefined {
  const replaced = fieldTexts(Object.entries(set), "responded");
  const more = fieldTexts(Object.entries(add), "responded");
  // Rules must not change the framing.
  const removed = new Set(remove.filter((name) => name !== "content-length"));
  if (removed.size + Object.keys(set).length + Object.keys(add).length === 0) return undefined;
  return {
    ...{ statuses, removed, set: replaced.lines, setTexts: replaced.made },
    ...{ added: more.lines, addedTexts: more.made },
  };
}
