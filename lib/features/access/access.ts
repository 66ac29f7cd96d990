/**
 * Access by the client's address: lists of addresses and networks, the first that fits decides. The address is that behind
 * `trusted_proxies`.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { AddressBlocks } from "../../http/address_block.ts";
import type { Log } from "../../log/log.ts";
import { MetricSet, type ValuesOf } from "../../metrics/metric_set.ts";
import type { Feature } from "../feature.ts";
import { type AccessConfig, accessKeys } from "./access_schema.ts";
import { AddressFile } from "./address_file.ts";

/** The metrics `bws_access_…`. */
const ACCESS_METRICS = new MetricSet({
  denied: { kind: "counter", name: "bws_access_denied_total", help: "Requests of clients that are not let in." },
});

type AccessMetrics = ValuesOf<typeof ACCESS_METRICS>;

/** `access`. */
export const access = {
  key: "access",
  scopes: ["site", "route"],
  order: 300,
  metrics: ACCESS_METRICS,
  files: ["deny_file", "allow_file"],
  schema: accessKeys.optional().describe("Which addresses of clients are let in."),
  check(options, report) {
    if (options === undefined) return;
    const { rules, allow, deny, allow_file, deny_file } = options;
    const last = rules.at(-1);
    if (last !== undefined && rules.every((rule) => rule.startsWith("allow")) && deny.length === 0 && !deny_file) {
      if (!last.endsWith("all") && allow.length === 0 && !allow_file) {
        report.warning(["rules"], {
          message: "the rules allow some addresses and deny none: everybody is let in",
          expected: '"deny all" as the last rule',
        });
      }
    }
    for (const key of ["deny_file", "allow_file"] as const) {
      const fault = fileFault(options[key]);
      if (fault !== undefined) report.error([key], { message: fault, expected: "one address or network a line" });
    }
    const all = rules.findIndex((rule) => /\sall$/.test(rule));
    if (all >= 0 && all < rules.length - 1) {
      report.warning(["rules", all + 1], { message: `the rule is never reached: "${rules[all]}" stands before it` });
    }
  },
  compile: (options, { log, metrics }) => {
    if (options === undefined || grantsAll(options)) return undefined;
    return new Access(options, log, metrics(ACCESS_METRICS));
  },
} as const satisfies Feature<AccessConfig | undefined>;

/** What is wrong in a file; whether it can be read at all is checked with the other files of a config. */
function fileFault(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    new AddressFile(path);
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
  }
  return undefined;
}

function grantsAll({ rules, allow, deny, allow_file, deny_file }: AccessConfig): boolean {
  return rules.length + allow.length + deny.length === 0 && allow_file === undefined && deny_file === undefined;
}

/** Lets clients in, or not. Built once. */
export class Access implements Filter {
  /** In their order. */
  readonly #rules: readonly Rule[];
  /** Whether those whom no rule fits are let in. */
  readonly #otherwise: boolean;
  readonly #drops: boolean;
  readonly #metrics: AccessMetrics | undefined;

  /**
   * @throws {Error} When a file cannot be read.
   */
  constructor(
    { rules, deny, allow, deny_file, allow_file, action }: AccessConfig,
    log?: Log,
    metrics?: AccessMetrics,
  ) {
    this.#metrics = metrics;
    this.#rules = [
      ...rules.map((rule) => ruleOf(rule.startsWith("allow"), [rule.trim().split(/\s+/)[1]])),
      ...deny_file === undefined ? [] : [{ lets: false, set: new AddressFile(deny_file, log), all: false }],
      ...deny.length === 0 ? [] : [ruleOf(false, deny)],
      ...allow_file === undefined ? [] : [{ lets: true, set: new AddressFile(allow_file, log), all: false }],
      ...allow.length === 0 ? [] : [ruleOf(true, allow)],
    ];
    this.#otherwise = allow.length === 0 && allow_file === undefined;
    this.#drops = action === "drop";
  }

  request(exchange: Exchange): Outcome | undefined {
    if (this.lets(exchange.clientAddress)) return undefined;
    if (exchange.dryRun === undefined) this.#metrics?.add(ACCESS_METRICS.metrics.denied);
    const cause = "The client's address is not let in by access";
    if (!this.#drops) return new ExchangeFailure(403, cause);
    exchange.failed(cause, "client");
    return { status: 403, headers: [], body: null, dropped: true };
  }

  /** Whether a client with this address is let in. */
  lets(address: string): boolean {
    for (const { lets, set, all } of this.#rules) if (all || set.has(address)) return lets;
    return this.#otherwise;
  }
}

interface Rule {
  readonly lets: boolean;
  readonly set: Pick<AddressBlocks, "has">;
  /** Whether it fits every client, also one behind a unix socket, which has no address. */
  readonly all: boolean;
}

function ruleOf(lets: boolean, networks: readonly string[]): Rule {
  return {
    lets,
    all: networks.includes("all"),
    set: new AddressBlocks(networks.filter((network) => network !== "all")),
  };
}
