/**
 * A snapshot as lines of text: problems, totals and a table of upstreams.
 *
 * @module
 */

import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatShare,
  formatWhole,
} from "../../admin/dashboard/page/format.js";
import { poolLabels } from "../../admin/dashboard/page/pool_labels.js";
import { countTroubles, NO_METRICS, troublesOf, verdictOf } from "../../admin/dashboard/page/problems.js";
import { rankOf, shortUrl, STATES, timeLeft, wordOf } from "../../admin/dashboard/page/upstream_states.js";
import type { PoolSnapshot, Snapshot, UpstreamSnapshot, UpstreamState } from "../../admin/snapshot.ts";
import { paint, type Style } from "../terminal.ts";
import { type Column, fitted, tableLines } from "./text_table.ts";

/** Orders of the table, in the sequence of the key that switches them. */
export const ORDERS = ["worst", "config", "requests", "errors", "p99"] as const;

/** An order of the table. */
export type Order = typeof ORDERS[number];

/** An upstream with its pool. */
export interface Member {
  readonly pool: PoolSnapshot;
  /** Name of the pool. */
  readonly poolLabel: string;
  readonly upstream: UpstreamSnapshot;
}

/** Options of {@linkcode topLines}. */
export interface TopLinesOptions {
  /** Maximum number of characters on a line. */
  readonly width: number;
  /** Maximum number of problems in the list. */
  readonly mostTroubles: number;
  /** Whether to use colours. */
  readonly colored: boolean;
  /** Address of the server. */
  readonly address: string;
  /**
   * Whether the connection is lost, so that the values are old.
   *
   * @default {false}
   */
  readonly lost?: boolean;
}

/** The parts of the view. */
export interface TopLines {
  /** Lines above the table. */
  readonly head: readonly string[];
  /** The table's heading. */
  readonly heading: string;
  /** A line for each of the members. */
  readonly rows: readonly string[];
}

/** The upstreams of all pools, in the given order; equal ones stay in the order of the config. */
export function membersOf(snapshot: Snapshot, order: Order): Member[] {
  const labels = poolLabels(snapshot.pools);
  const members = snapshot.pools.flatMap((pool) => {
    const poolLabel = labels.get(pool.id) ?? pool.name;
    return pool.upstreams.map((upstream) => ({ pool, poolLabel, upstream }));
  });
  return order === "config" ? members : members.sort((a, b) => COMPARE[order](a.upstream, b.upstream));
}

/** The view of a snapshot. */
export function topLines(snapshot: Snapshot, members: readonly Member[], options: TopLinesOptions): TopLines {
  const { width, colored } = options;
  const [heading, ...rows] = tableLines(snapshot.metrics ? COLUMNS : STATE_COLUMNS, members, { width, colored });
  return { head: [...figureLines(snapshot, options), "", ...troubleLines(snapshot, options)], heading, rows };
}

function figureLines(
  { version, config, uptimeMs, process, totals, ...rest }: Snapshot,
  options: TopLinesOptions,
): string[] {
  const { width, colored, address, lost } = options;
  const count = process.workers.length;
  const about = [
    ...[`bws ${version} at ${address}`, `generation ${config.generation}`, `up ${formatDuration(uptimeMs)}`],
    ...[countOf(count, "worker"), formatBytes(process.memoryBytes)],
    ...[`${process.cpuCores.toFixed(2)} cores`, `sockets by ${process.sockets.driver}`],
  ];
  const figures = [
    ...[`${formatCount(totals.requestRate)} req/s`, `${formatShare(shareOf(totals))} errors`],
    `${formatWhole(totals.inFlight)} in flight`,
    `p50 ${formatMs(totals.p50Ms)}, p99 ${formatMs(totals.p99Ms)} to the end`,
    ...(totals.openSockets === 0 ? [] : [countOf(totals.openSockets, "WebSocket")]),
    ...(rest.ports.every(({ connections }) => connections === null)
      ? []
      : [countOf(rest.ports.reduce((sum, { connections }) => sum + (connections?.open ?? 0), 0), "connection")]),
    ...(process.openFiles === null ? [] : [countOf(process.openFiles, "open file")]),
  ];
  return [
    paint(colored, "dim", joined(about, width)),
    paint(colored, lost ? "dim" : "bold", rest.metrics ? joined(figures, width) : fitted(NO_METRICS, width)),
  ];
}

/** As many complete parts as there is room for. */
function joined(parts: readonly string[], width: number): string {
  let line = fitted(parts[0], width);
  for (const part of parts.slice(1)) {
    if (line.length + part.length + 3 > width) break;
    line += `   ${part}`;
  }
  return line;
}

function countOf(count: number, what: string): string {
  return `${formatWhole(count)} ${what}${count === 1 ? "" : "s"}`;
}

function troubleLines(snapshot: Snapshot, { width, colored, mostTroubles, lost }: TopLinesOptions): string[] {
  const troubles = troublesOf(snapshot);
  const count = countTroubles(troubles);
  const worst: Style = troubles[0]?.tone === "bad" ? "red" : "yellow";
  const verdict = lost
    ? paint(colored, "red", fitted(`✗ Connection lost. This is how it was at ${timeOf(snapshot.atMs)}`, width))
    : count === 0
    ? paint(colored, "green", `✓ ${verdictOf(snapshot, count)}`)
    : paint(colored, worst, `✗ ${verdictOf(snapshot, count)}`);
  const lines = troubles.slice(0, mostTroubles).map(({ tone, title, detail, left }) => {
    const text = [`  ${title}`, left, detail].filter((part) => part !== "").join("   ");
    return paint(colored, TONE_STYLES[tone] ?? "dim", fitted(text, width));
  });
  const hidden = troubles.length - lines.length;
  return [verdict, ...lines, ...(hidden > 0 ? [paint(colored, "dim", `  and ${hidden} more`)] : []), ""];
}

function timeOf(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}

const TONE_STYLES: Readonly<Record<string, Style>> = { bad: "red", warn: "yellow", good: "green" };

/** Symbols of states, so that they differ not only by colour. */
const SHAPES: Readonly<Record<UpstreamState, string>> = {
  unhealthy: "✗",
  breaker_open: "■",
  ejected: "▲",
  on_trial: "△",
  breaker_half_open: "◐",
  slow_start: "↗",
  draining: "↓",
  maintenance: "=",
  active: "✓",
};

const COLUMNS: readonly Column<Member>[] = [
  {
    title: "STATE",
    leaves: 0,
    cell: ({ upstream }) => ({
      text: [SHAPES[upstream.state], wordOf(upstream.state), timeLeft(upstream)].join(" ").trimEnd(),
      style: TONE_STYLES[STATES[upstream.state].tone] ?? "cyan",
    }),
  },
  { title: "UPSTREAM", leaves: 0, cell: ({ upstream }) => ({ text: shortUrl(upstream.url) }) },
  { title: "POOL", leaves: 3, cell: ({ poolLabel }) => ({ text: poolLabel }) },
  { title: "WEIGHT", right: true, leaves: 4, cell: ({ upstream }) => ({ text: String(upstream.weight) }) },
  { title: "IN FLIGHT", right: true, leaves: 1, cell: ({ upstream }) => ({ text: formatWhole(upstream.inFlight) }) },
  { title: "REQ/S", right: true, leaves: 0, cell: ({ upstream }) => ({ text: formatCount(upstream.requestRate) }) },
  {
    title: "ERRORS",
    right: true,
    leaves: 0,
    cell: ({ upstream }) => {
      const share = shareOf(upstream);
      return { text: formatShare(share), style: share >= 0.05 ? "red" : share > 0 ? "yellow" : undefined };
    },
  },
  { title: "HEAD P50", right: true, leaves: 6, cell: ({ upstream }) => ({ text: formatMs(upstream.p50Ms) }) },
  { title: "HEAD P95", right: true, leaves: 5, cell: ({ upstream }) => ({ text: formatMs(upstream.p95Ms) }) },
  { title: "HEAD P99", right: true, leaves: 2, cell: ({ upstream }) => ({ text: formatMs(upstream.p99Ms) }) },
  { title: "LAST FAILURE", leaves: 7, cell: ({ upstream }) => ({ text: upstream.lastFailure ?? "", style: "dim" }) },
];

/** The columns that have values where metrics are off. */
const STATE_COLUMNS = COLUMNS.filter(({ title }) => !["REQ/S", "ERRORS"].includes(title) && !title.startsWith("HEAD"));

const COMPARE: Readonly<Record<Exclude<Order, "config">, (a: UpstreamSnapshot, b: UpstreamSnapshot) => number>> = {
  worst: (a, b) => rankOf(a.state) - rankOf(b.state),
  requests: (a, b) => b.requestRate - a.requestRate,
  errors: (a, b) => shareOf(b) - shareOf(a),
  p99: (a, b) => (b.p99Ms ?? -1) - (a.p99Ms ?? -1),
};

function shareOf({ requestRate, errorRate }: { requestRate: number; errorRate: number }): number {
  return requestRate === 0 ? 0 : Math.min(1, errorRate / requestRate);
}
