/**
 * Asks a service whether a request may pass, before anything else is done with it (as `auth_request` of nginx and `forward_auth`
 * of Caddy). What goes wrong with the service lets nobody pass.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { headerValue, headerValues, isToken } from "../../http/header_lines.ts";
import { sendableStatus } from "../../http/sendable_status.ts";
import { MetricSet, type ValuesOf } from "../../metrics/metric_set.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { ServiceClient, ServiceResponse } from "../../upstream/service_client.ts";
import type { BuildContext, Feature } from "../feature.ts";
import { UpstreamFields } from "../upstream_fields.ts";
import { AuthQuestion } from "./auth_question.ts";
import { type ForwardAuthConfig, forwardAuthKeys } from "./forward_auth_schema.ts";
import { type Pass, PassedCache } from "./passed_cache.ts";

const RESULTS = ["passed", "cached", "refused", "failed"] as const;
const [PASSED, CACHED, REFUSED, FAILED] = RESULTS.keys();

/** The metrics `bws_forward_auth_…`. */
const FORWARD_AUTH_METRICS = new MetricSet({
  requests: {
    ...{ kind: "counter", name: "bws_forward_auth_requests_total" },
    help:
      "Requests by what the service said: passed, cached (passed without a question), refused, failed (no response).",
    labels: [["result", RESULTS]],
  },
  seconds: {
    ...{ kind: "histogram", name: "bws_forward_auth_duration_seconds", unit: "seconds" },
    help: "Time from a question to the service's response.",
  },
});

const { requests, seconds } = FORWARD_AUTH_METRICS.metrics;

/** `forward_auth`. */
export const forwardAuth = {
  key: "forward_auth",
  scopes: ["site", "route"],
  order: 420,
  metrics: FORWARD_AUTH_METRICS,
  files: ["ca_file"],
  schema: forwardAuthKeys.optional().describe("A service that decides which requests pass."),
  check(options, report) {
    if (options === undefined) return;
    const { enabled, cache, cache_by, forward_cookies, url, ca_file } = options;
    if (enabled && url === undefined) report.error([], { message: "forward_auth has no url", expected: "url = …" });
    if (cache === 0 && cache_by === "credentials") {
      report.warning(["cache_by"], { message: "cache_by has no effect: nothing is kept", expected: "cache above 0" });
    }
    if (cache > 0 && forward_cookies) {
      report.warning(["forward_cookies"], {
        message: "cookies that the service renews do not reach clients while its 2xx is kept",
        expected: "forward_cookies without cache, or a short time",
      });
    }
    if (ca_file !== undefined && url !== undefined && !/^https:/i.test(url)) {
      report.error(["ca_file"], { message: "ca_file has no effect: the url does not use TLS", expected: "https://" });
    }
  },
  compile: (options, context) => options?.enabled === true ? new ForwardAuth(options, context) : undefined,
} as const satisfies Feature<ForwardAuthConfig | undefined>;

type Context = Pick<BuildContext, "mark" | "openService" | "metrics">;

/** Asks the service of one site or route. Built once for a generation. */
export class ForwardAuth implements Filter {
  readonly #options: ForwardAuthConfig;
  readonly #service: ServiceClient;
  readonly #question: AuthQuestion;
  readonly #fields: UpstreamFields;
  readonly #copied: readonly string[];
  readonly #userName: string | undefined;
  readonly #cache: PassedCache | undefined;
  readonly #metrics: ValuesOf<typeof FORWARD_AUTH_METRICS> | undefined;
  #inFlight = 0;

  /** @throws {Error} When `ca_file` cannot be read. */
  constructor(options: ForwardAuthConfig, { mark, openService, metrics }: Context) {
    this.#options = options;
    const { url, timeout, max_response, ca_file, copy_headers, cache, cache_by } = options;
    if (url === undefined) throw new TypeError("Cannot ask a service without its url");
    this.#service = openService({ url, timeoutMs: timeout, maxBodyBytes: max_response, caFile: ca_file });
    this.#question = new AuthQuestion(mark, copy_headers);
    this.#fields = new UpstreamFields(copy_headers);
    this.#copied = copy_headers.map((name) => name.toLowerCase());
    this.#userName = options.user_header?.toLowerCase();
    this.#cache = cache === 0 ? undefined : new PassedCache(cache, cache_by === "uri");
    this.#metrics = metrics(FORWARD_AUTH_METRICS);
  }

  request(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined> {
    if (exchange.dryRun !== undefined) return undefined;
    if (this.#question.asks(exchange)) {
      return new ExchangeFailure(508, "The service of forward_auth leads back to this site", { owner: "proxy" });
    }
    const key = this.#cache?.keyOf(exchange);
    const kept = key === undefined ? undefined : this.#cache?.find(key, sharedTime.nowMs);
    if (kept !== undefined) {
      this.#metrics?.add(requests, 1, CACHED);
      return this.#pass(exchange, kept);
    }
    const { max_in_flight } = this.#options;
    if (this.#inFlight >= max_in_flight) {
      return this.#failed(503, `${max_in_flight} requests wait for the service of forward_auth`, "proxy");
    }
    return this.#ask(exchange, key);
  }

  async #ask(exchange: Exchange, key: string | undefined): Promise<Outcome | undefined> {
    const { client } = exchange;
    const startMs = performance.now();
    let response: ServiceResponse;
    this.#inFlight++;
    try {
      response = await this.#service.ask({
        lines: this.#question.lines(exchange),
        wantsBody: (status) => !isSuccess(status),
        get signal() {
          return client.signal;
        },
      });
    } catch (error) {
      if (!(error instanceof TransportFailure)) throw error;
      return this.#failure(error);
    } finally {
      this.#inFlight--;
    }
    this.#metrics?.observe(seconds, (performance.now() - startMs) / 1000);
    if (!isSuccess(response.status)) return this.#refuse(exchange, response);
    this.#metrics?.add(requests, 1, PASSED);
    const pass = this.#passOf(response);
    if (key !== undefined) this.#cache?.add(key, pass, sharedTime.refresh());
    if (this.#options.forward_cookies) {
      for (const cookie of headerValues(response.headers, "set-cookie")) exchange.addLine("set-cookie", cookie);
    }
    return this.#pass(exchange, pass);
  }

  #failure(failure: TransportFailure): Outcome {
    const { kind, owner, message } = failure;
    if (kind === "client_left") {
      return new ExchangeFailure(499, "The client left while the service of forward_auth was asked");
    }
    const status = kind === "malformed" || kind === "closed_in_head" || kind === "closed_in_body" ? 502 : 503;
    return this.#failed(status, `The service of forward_auth: ${message}`, owner);
  }

  #failed(status: 502 | 503, cause: string, owner: "upstream" | "proxy" | "client"): Outcome {
    this.#metrics?.add(requests, 1, FAILED);
    return new ExchangeFailure(status, cause, { owner, lines: status === 503 ? ["retry-after", "1"] : [] });
  }

  #refuse(exchange: Exchange, { status, reason, headers, body }: ServiceResponse): Outcome {
    this.#metrics?.add(requests, 1, REFUSED);
    if (status >= 400) {
      exchange.failed(`The service of forward_auth responded with ${status}`, status >= 500 ? "upstream" : "client");
    }
    const sent = sendableStatus(status);
    return { status: sent, headers, body, reason: sent === status ? reason : undefined };
  }

  #passOf({ headers }: ServiceResponse): Pass {
    const lines: string[] = [];
    for (let i = 0; i < headers.length; i += 2) {
      if (this.#copied.includes(headers[i].toLowerCase()) && isToken(headers[i])) {
        lines.push(headers[i], headers[i + 1]);
      }
    }
    const user = this.#userName === undefined ? "" : headerValue(headers, this.#userName) ?? "";
    return { lines, user: textOf(user) };
  }

  #pass(exchange: Exchange, { lines, user }: Pass): undefined {
    if (this.#copied.length > 0) exchange.head = this.#fields.replaced(exchange.head, lines);
    if (user !== "") exchange.user = user;
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** A value of a field as text: UTF-8, where it is. */
function textOf(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(value, (char) => char.charCodeAt(0)));
  } catch {
    return value;
  }
}
