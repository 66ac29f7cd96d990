/**
 * Cache-Control of files and, where that is asked for, of responses of upstreams.
 *
 * @module
 */

import type { z } from "zod";
import { choice, duration, type Fault, fieldValue, judged, list, slashPath, table, tables } from "../config/fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Filter } from "../exchange/filter.ts";
import { headerValue, removeHeaders, setHeader } from "../http/header_lines.ts";
import type { HttpResponse } from "../http/message.ts";
import type { BuildContext, Feature } from "./feature.ts";

const EXTENSION = 'a file extension such as "css"';
const TEN_YEARS_MS = 3_653 * 86_400_000;

const ruleSchema = table({
  path: slashPath().optional().describe("Prefix of the paths that the rule is for."),
  extensions: list(judged(extensionFault, EXTENSION, "^\\.?[^./\\s*]+(\\.[^./\\s*]+)*$")).optional()
    .describe("Extensions of the files that the rule is for, with or without a dot."),
  control: fieldValue().min(1, { error: "a Cache-Control value" }).describe("Value of Cache-Control."),
});

const schema = table({
  control: fieldValue().min(1, { error: "a Cache-Control value" }).optional()
    .describe("Value of Cache-Control for every file."),
  max_age: duration({ zero: true, maxMs: TEN_YEARS_MS }).optional()
    .describe('How long caches may keep a file: "public, max-age=N".'),
  proxied: choice(["keep", "missing", "replace"]).optional().describe(
    'What becomes of responses of upstreams to GET and HEAD: "keep" leaves them alone, "missing" gives those a Cache-Control ' +
      'that have none (but none that sets a cookie, or is for a user), "replace" gives it to all. By default "keep" on a site, and ' +
      '"missing" on a route.',
  ),
  rules: tables(ruleSchema).prefault([])
    .describe("Values for some files; the first rule that fits wins, with path and extensions where it has both."),
}).prefault({}).describe("Cache-Control of files, and of responses of upstreams where proxied says so.");

type CacheConfig = z.output<typeof schema>;

/** `cache`. */
export const cacheControl = {
  key: "cache",
  scopes: ["site", "route"],
  order: 700,
  schema,
  check({ control, max_age, rules }, report) {
    if (control !== undefined && max_age !== undefined) {
      report.error(["max_age"], { message: "cache has both control and max_age", expected: "one of them" });
    }
    rules.forEach(({ path, extensions }, index) => {
      if (path !== undefined || extensions !== undefined) return;
      report.error(["rules", index], {
        message: "the rule does not say what it is for",
        expected: "path, extensions or both",
      });
    });
  },
  compile: (options, context?: Pick<BuildContext, "route">) => {
    const general = options.control ??
      (options.max_age === undefined ? undefined : `public, max-age=${Math.floor(options.max_age / 1000)}`);
    if (general === undefined && options.rules.length === 0) return undefined;
    const ofRoute = context?.route !== undefined;
    return new CacheControl(general, options.rules, {
      ofRoute,
      proxied: options.proxied ?? (ofRoute ? "missing" : "keep"),
    });
  },
} as const satisfies Feature<CacheConfig>;

/** What a {@linkcode CacheControl} is for, besides files. */
interface CacheControlOptions {
  /** Whether it is that of one route: the lines that are kept with files are those of the site. */
  readonly ofRoute: boolean;
  readonly proxied: NonNullable<CacheConfig["proxied"]>;
}

/** Gives each file its Cache-Control. Requests for files have no cost: the line is kept with the file. */
class CacheControl implements Filter {
  readonly #general: string | undefined;
  readonly #rules: readonly Rule[];
  readonly #replaces: boolean;
  /** undefined where it changes no response: then requests have no cost. */
  readonly response: Filter["response"];

  /** @param general The value where no rule fits; undefined for none. */
  constructor(general: string | undefined, rules: CacheConfig["rules"], { ofRoute, proxied }: CacheControlOptions) {
    this.#general = general;
    this.#rules = rules.map((rule) => ({
      prefix: rule.path && decoded(rule.path),
      endings: rule.extensions?.map((ending) => (ending.startsWith(".") ? ending : `.${ending}`).toLowerCase()),
      control: rule.control,
    }));
    this.#replaces = proxied === "replace";
    if (ofRoute || proxied !== "keep") {
      this.response = (exchange, response) => {
        if (exchange.fromUpstream) {
          if (proxied !== "keep") this.#proxied(exchange, response);
        } else if (ofRoute) this.#file(exchange, response);
        return response;
      };
    }
  }

  /** The line of a file. */
  fileLines(path: string): readonly string[] {
    const value = this.#valueOf(path);
    return value === undefined ? [] : ["cache-control", value];
  }

  #proxied({ head, user }: Exchange, { status, headers }: HttpResponse): void {
    if ((head.method !== "GET" && head.method !== "HEAD") || !STORED.has(status)) return;
    if (!this.#replaces) {
      if (headerValue(headers, "cache-control") !== undefined || headerValue(headers, "expires") !== undefined) return;
      // RFC 9111, section 3.5: "public" would let shared caches give the response of one user to another.
      if (user !== "" || headerValue(head.headers, "authorization") !== undefined) return;
      if (headerValue(headers, "set-cookie") !== undefined) return;
    }
    const value = this.#valueOf(decoded(head.path));
    if (value === undefined) return;
    removeHeaders(headers, REPLACED);
    headers.push("cache-control", value);
  }

  /** A file of a route with `try_files` comes with the line of the site. */
  #file({ head }: Exchange, { status, headers }: HttpResponse): void {
    if (status !== 200 && status !== 206 && status !== 304) return;
    const value = this.#valueOf(decoded(head.path));
    if (value !== undefined) setHeader(headers, "cache-control", value);
  }

  #valueOf(path: string): string | undefined {
    const lowerPath = path.toLowerCase();
    const rule = this.#rules.find(({ prefix, endings }) =>
      (prefix === undefined || path.startsWith(prefix)) &&
      (endings === undefined || endings.some((ending) => lowerPath.endsWith(ending)))
    );
    return rule?.control ?? this.#general;
  }
}

interface Rule {
  readonly prefix: string | undefined;
  /** Extensions with their dot, in lower case. */
  readonly endings: readonly string[] | undefined;
  readonly control: string;
}

/** Statuses of responses to which Cache-Control is added: those that it is for, without redirects that may change. */
const STORED: ReadonlySet<number> = new Set([200, 203, 204, 206, 301, 304, 308]);
const REPLACED: ReadonlySet<string> = new Set(["cache-control", "expires", "pragma"]);

/** A path, decoded like the names of files; one with invalid escapes is taken literally. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function extensionFault(value: string): Fault | undefined {
  if (/^\.?[^./\s*]+(?:\.[^./\s*]+)*$/.test(value)) return undefined;
  return { expected: EXTENSION, suggestion: /^\*?\.(\w+)$/.exec(value)?.[1] };
}
