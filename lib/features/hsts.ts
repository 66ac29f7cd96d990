/**
 * Strict-Transport-Security (RFC 6797): browsers then reach the host by https only. Sent to clients that came by https, as
 * section 7.2 demands.
 *
 * @module
 */

import { z } from "zod";
import { duration, flag, table } from "../config/fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Filter } from "../exchange/filter.ts";
import { setHeader } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import type { Feature } from "./feature.ts";

const TEN_YEARS_MS = 3_653 * 86_400_000;
const YEAR_MS = 365 * 86_400_000;

const tableSchema = table({
  max_age: duration({ zero: true, maxMs: TEN_YEARS_MS }).prefault("365d").describe(
    "How long browsers keep to it; 0 makes them forget it.",
  ),
  include_subdomains: flag().default(false).describe("Whether it holds for all hosts below this one."),
  preload: flag().default(false).describe(
    "Whether browsers may have the host in their built-in list, from which it is hard to remove.",
  ),
});

const schema = z.union([flag(), tableSchema], { error: "true, false or a table" }).optional().describe(
  "Strict-Transport-Security on responses over https: browsers then use https only. true is a table without keys.",
);

type HstsConfig = z.output<typeof schema>;

/** `[sites.hsts]`. */
export const hsts = {
  key: "hsts",
  scopes: ["site"],
  order: 590,
  schema,
  check(options, report) {
    if (typeof options !== "object" || !options.preload) return;
    if (options.include_subdomains && options.max_age >= YEAR_MS) return;
    report.error(["preload"], {
      message: "preload is true, and browsers do not accept it like this",
      expected: "include_subdomains = true and a max_age of 365d or more",
    });
  },
  compile: (options) => {
    if (options === undefined || options === false) return undefined;
    return new StrictTransportSecurity(options === true ? tableSchema.parse({}) : options);
  },
} as const satisfies Feature<HstsConfig>;

class StrictTransportSecurity implements Filter {
  readonly #value: string;

  constructor({ max_age, include_subdomains, preload }: z.output<typeof tableSchema>) {
    const seconds = Math.floor(max_age / 1000);
    this.#value = `max-age=${seconds}${include_subdomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
  }

  fields(exchange: Exchange, lines: HeaderLines): void {
    if (exchange.clientScheme === "https") setHeader(lines, "strict-transport-security", this.#value);
  }
}
