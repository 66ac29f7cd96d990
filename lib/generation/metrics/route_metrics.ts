/**
 * What is counted of the exchanges of one route, or of those of a site that no route took. Written by the exchanges of
 * this worker, of whatever generation; read by whoever is scraped.
 *
 * @module
 */

import { Counter } from "../../metrics/counter.ts";
import { Histogram, histogramSlots } from "../../metrics/histogram.ts";
import { Labels } from "../../metrics/labels.ts";
import { type Numbers, sumAt, type TakeNumbers } from "../../metrics/numbers.ts";
import { STATUS_CLASSES } from "../../metrics/status_counters.ts";
import type { Exchange, ExchangeMeter } from "../../exchange/exchange.ts";
import type { RelayMeter } from "../../handlers/websocket/relay.ts";

/** Methods that are told apart. Clients may invent others without end, and those share one name. */
export const METHODS = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"],
  "OTHER",
] as const;

const CLASSES = STATUS_CLASSES.length;
const REQUEST_BYTES = METHODS.length * CLASSES;
const RESPONSE_BYTES = REQUEST_BYTES + 1;
const DURATIONS = RESPONSE_BYTES + 1;
const MESSAGES_TO_UPSTREAM = DURATIONS + histogramSlots();
const MESSAGES_TO_CLIENT = MESSAGES_TO_UPSTREAM + 1;
const BYTES_TO_UPSTREAM = MESSAGES_TO_CLIENT + 1;
const BYTES_TO_CLIENT = BYTES_TO_UPSTREAM + 1;
const IN_FLIGHT = BYTES_TO_CLIENT + 1;
const OPEN_SOCKETS = IN_FLIGHT + 1;
const SLOTS = OPEN_SOCKETS + 1;

/** The figures of one route. Owned by the book; outlives generations. */
export class RouteMetrics implements ExchangeMeter, RelayMeter {
  /** Name of the site; "" for requests that belong to none. */
  readonly site: string;
  /** As in the config; "" for what no route took. */
  readonly path: string;
  /** Its site and path. */
  readonly labels: Labels;
  readonly requestBytes: Counter;
  readonly responseBytes: Counter;
  /** Seconds from start to end. */
  readonly durations: Histogram;
  readonly messagesToUpstream: Counter;
  readonly messagesToClient: Counter;
  readonly bytesToUpstream: Counter;
  readonly bytesToClient: Counter;
  readonly #numbers: Numbers;
  readonly #own: Float64Array;
  readonly #methodLabels: readonly Labels[];

  /** Takes its slots. */
  constructor(take: TakeNumbers, site: string, path: string) {
    this.site = site;
    this.path = path;
    this.labels = Labels.of({ site, route: path });
    this.#methodLabels = METHODS.flatMap((method) =>
      STATUS_CLASSES.map((name) => this.labels.with(Labels.of({ method, status_class: name })))
    );
    const numbers = this.#numbers = take(SLOTS, `route ${JSON.stringify([site, path])}`);
    this.#own = numbers.own;
    this.requestBytes = new Counter(numbers, REQUEST_BYTES);
    this.responseBytes = new Counter(numbers, RESPONSE_BYTES);
    this.durations = new Histogram(numbers, undefined, DURATIONS);
    this.messagesToUpstream = new Counter(numbers, MESSAGES_TO_UPSTREAM);
    this.messagesToClient = new Counter(numbers, MESSAGES_TO_CLIENT);
    this.bytesToUpstream = new Counter(numbers, BYTES_TO_UPSTREAM);
    this.bytesToClient = new Counter(numbers, BYTES_TO_CLIENT);
  }

  /** Counts an exchange in. */
  began(): void {
    this.#own[IN_FLIGHT] += 1;
  }

  /** Counts an exchange out that goes on elsewhere. */
  left(): void {
    this.#own[IN_FLIGHT] -= 1;
  }

  /** Counts some of an answer's body, before the exchange ends. */
  sent(bytes: number): void {
    this.#own[RESPONSE_BYTES] += bytes;
  }

  /** Counts an exchange out that has ended. */
  ended(exchange: Exchange): void {
    const { status } = exchange;
    const own = this.#own;
    own[IN_FLIGHT] -= 1;
    const statusClass = status >= 100 && status < 600 ? (status / 100) | 0 : 0;
    own[methodIndex(exchange.head.method) * CLASSES + statusClass] += 1;
    // Those of a WebSocket have figures of their own, and an hour that it was open is no slow answer.
    if (exchange.closeCode !== 0) return;
    own[RESPONSE_BYTES] += exchange.bytes - exchange.meteredBytes;
    if (!exchange.lasting) this.durations.observe(exchange.durationMs / 1000);
  }

  /** Counts a WebSocket in, or out. */
  socketOpened(by: 1 | -1): void {
    this.#own[OPEN_SOCKETS] += by;
  }

  /** Counts a message of a WebSocket. */
  toUpstream(bytes: number): void {
    this.#own[MESSAGES_TO_UPSTREAM] += 1;
    this.#own[BYTES_TO_UPSTREAM] += bytes;
  }

  /** Counts a message of a WebSocket. */
  toClient(bytes: number): void {
    this.#own[MESSAGES_TO_CLIENT] += 1;
    this.#own[BYTES_TO_CLIENT] += bytes;
  }

  /** Exchanges under way. */
  get inFlight(): number {
    return sumAt(this.#numbers, IN_FLIGHT);
  }

  /** Those of them in one worker. */
  inFlightIn(worker: number): number {
    return this.#numbers.all[worker]?.[IN_FLIGHT] ?? 0;
  }

  /** Open WebSockets. */
  get openSockets(): number {
    return sumAt(this.#numbers, OPEN_SOCKETS);
  }

  /** Exchanges that ended, in the order of `STATUS_CLASSES`. */
  statuses(): number[] {
    const counts: number[] = STATUS_CLASSES.map(() => 0);
    for (let index = 0; index < REQUEST_BYTES; index++) counts[index % CLASSES] += sumAt(this.#numbers, index);
    return counts;
  }

  /** Gives each count by method and class that is not zero: most of the sixty never happen. */
  forRequests(give: (labels: Labels, count: number) => void): void {
    for (let index = 0; index < REQUEST_BYTES; index++) {
      const count = sumAt(this.#numbers, index);
      if (count > 0) give(this.#methodLabels[index], count);
    }
  }

  /** Takes back what a worker that is gone had in flight. */
  takeBack(worker: number): void {
    const slots = this.#numbers.all[worker];
    slots[IN_FLIGHT] = 0;
    slots[OPEN_SOCKETS] = 0;
  }
}

function methodIndex(method: string): number {
  switch (method) {
    case "GET":
      return 0;
    case "HEAD":
      return 1;
    case "POST":
      return 2;
    case "PUT":
      return 3;
    case "PATCH":
      return 4;
    case "DELETE":
      return 5;
    case "OPTIONS":
      return 6;
    case "TRACE":
      return 7;
    case "CONNECT":
      return 8;
    default:
      return 9;
  }
}
