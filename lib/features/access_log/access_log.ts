/**
 * The access log of a site or a route, where it is another one than the server's.
 *
 * @module
 */

import { AccessLog } from "../../exchange/access_log.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import type { Filter } from "../../exchange/filter.ts";
import { headerValue } from "../../http/header_lines.ts";
import type { HeaderLines } from "../../http/message.ts";
import type { HeaderBytes } from "../../http1/header_bytes.ts";
import { combinedAccessLine } from "../../log/access_line.ts";
import { jsonAccessLine } from "../../log/json_access_line.ts";
import type { Log } from "../../log/log.ts";
import type { LoggingConfig } from "../../process/server_schema.ts";
import { matchPath } from "../../routing/match_path.ts";
import type { Feature } from "../feature.ts";
import { PathPattern } from "../path_pattern.ts";
import { type CompiledFormat, compileFormat } from "./access_format.ts";
import { accessLogSchema, type AccessLogSettings, settingsOf } from "./access_log_schema.ts";

type AccessLogConfig = Parameters<typeof settingsOf>[0];

/** `access_log`. */
export const accessLog = {
  key: "access_log",
  scopes: ["site", "route"],
  // First, so that on the way up it sees the fields that all others have set.
  order: 10,
  schema: accessLogSchema,
  compile: (options, { log, logging, site, route }) => {
    if (log === undefined) return undefined;
    const ofServer = settingsOf(logging.access_log);
    const ofSite = route !== undefined && "access_log" in site ? settingsOf(site.access_log as AccessLogConfig) : {};
    // That of the server is used where there is no other, unless it needs fields of responses, which a filter has to keep.
    if (options === undefined && ofServer.response_headers === undefined && !namesResponse(ofServer)) return undefined;
    const { accessLog, format } = openAccessLog({ ...ofServer, ...ofSite, ...settingsOf(options) }, { log, logging });
    return new AccessLogFilter(accessLog, format.responseFields);
  },
} as const satisfies Feature<AccessLogConfig>;

/** Whether settings have a text with fields of responses. */
function namesResponse({ format = "", fields = {} }: AccessLogSettings): boolean {
  return [format, ...Object.values(fields)].some((text) => text.includes("{response."));
}

/**
 * Makes the access log that settings mean, and opens its output.
 *
 * @throws {Error} When the output cannot be opened.
 */
export function openAccessLog(
  settings: AccessLogSettings,
  { log, logging }: { log: Log; logging: LoggingConfig },
): { accessLog: AccessLog; format: CompiledFormat } {
  const { output = logging.output, sample, skip_status, skip_paths, slow } = settings;
  const format = compileFormat(settings.format ?? logging.format, settings);
  const own = output !== logging.output;
  const accessLog = new AccessLog({
    format: format.line,
    form: format.form,
    writer: log.writerOf({ output, header: format.header }),
    enabled: (settings.enabled ?? (own || logging.access)) && (own || log.writes("info")),
    sample,
    skipStatus: skip_status,
    skipsPath: skip_paths && skipsPath(skip_paths),
    slowMs: slow,
    failures: own || !format.tellsCause ? (exchange) => writeFailure(exchange, log) : undefined,
  });
  return { accessLog, format };
}

function writeFailure(exchange: Exchange, log: Log): void {
  log.writer.line(log.format === "json" ? jsonAccessLine(exchange) : combinedAccessLine(exchange));
}

function skipsPath(sources: readonly string[]): (path: string) => boolean {
  const patterns = sources.map((source) => new PathPattern(source));
  return (path) => {
    const matched = matchPath(path);
    return matched !== undefined && patterns.some((pattern) => pattern.match(matched) !== undefined);
  };
}

/** Gives exchanges their access log, and keeps the fields of responses that it has. */
class AccessLogFilter implements Filter {
  readonly #accessLog: AccessLog;
  readonly #names: readonly string[];

  constructor(accessLog: AccessLog, names: readonly string[]) {
    this.#accessLog = accessLog;
    this.#names = names;
  }

  get takesPassed(): boolean {
    return true;
  }

  fields(exchange: Exchange, lines: HeaderLines, passed?: HeaderBytes): void {
    exchange.accessLog = this.#accessLog;
    if (this.#names.length === 0) return;
    const { ownLines = [] } = exchange;
    exchange.loggedFields = this.#names.map((name) =>
      passed?.value(name) ?? headerValue(lines, name) ?? headerValue(ownLines, name) ?? ""
    );
  }
}
