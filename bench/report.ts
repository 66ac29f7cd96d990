/**
 * The tables of workloads, and how figures grow with size.
 *
 * @module
 */

import type { Figures } from "./measurement.ts";
import type { Workload } from "./workload.ts";

/** What came of one measurement. */
export type Outcome = { figures: Figures } | { failure: string };

/** What came of all: by workload, by peer, round after round. */
export type Outcomes = ReadonlyMap<Workload, ReadonlyMap<string, readonly Outcome[]>>;

/** Whose figures the others are compared with. */
const BASES = ["nginx", "Caddy"];
/** Whose p99 it is compared with. */
export const BASE = "nginx";
const ABSENT = "–";

/** All tables, as Markdown: one a workload, then how figures grow with size. */
export function report(outcomes: Outcomes): string {
  const tables = [...outcomes].map(([workload, peers]) => workloadTable(workload, peers));
  return [...tables, ...growthTables(outcomes)].join("\n\n");
}

/** A line for one outcome while it runs. */
export function outcomeLine(outcome: Outcome): string {
  if ("failure" in outcome) return `failed: ${outcome.failure}`;
  const { microseconds, perSecond, p50Ms, p99Ms, idle, errors } = outcome.figures;
  return [
    ...(microseconds === undefined ? [] : [`${fixed(microseconds, 1)} µs`]),
    ...(perSecond === undefined ? [] : [`${fixed(perSecond, 0)}/s`]),
    ...(idle === undefined ? [] : [`${fixed(idle.bytesPerConnection / 1024, 1)} KB a connection`]),
    ...(p50Ms === undefined ? [] : [`p50 ${fixed(p50Ms, 2)} ms`]),
    ...(p99Ms === undefined ? [] : [`p99 ${fixed(p99Ms, 2)} ms`]),
    ...errors,
  ].join(", ");
}

/** A Markdown table. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows.map((row) => `| ${row.join(" | ")} |`);
  return [head, `|${"---|".repeat(rows[0].length)}`, ...body].join("\n");
}

/** The middle one; of an even number, the higher. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** What is shown of figures. */
export interface Column {
  title: string;
  value(figures: Figures): number | undefined;
  digits: number;
}

/** Processor time. */
export const COST: Column = { title: "µs a request", value: (figures) => figures.microseconds, digits: 1 };
/** What one request in a hundred exceeds. */
export const P99: Column = { title: "p99 ms", value: (figures) => figures.p99Ms, digits: 2 };
const P50: Column = { title: "p50 ms", value: (figures) => figures.p50Ms, digits: 2 };
const P999: Column = { title: "p99.9 ms", value: (figures) => figures.p999Ms, digits: 2 };
const MEMORY: Column = {
  title: "KB a connection",
  value: ({ idle }) => idle === undefined ? undefined : idle.bytesPerConnection / 1024,
  digits: 1,
};
const LOAD: Column[] = [
  { title: "requests/s", value: (figures) => figures.perSecond, digits: 0 },
  { title: "cores busy %", value: ({ busy }) => busy === undefined ? undefined : 100 * busy, digits: 0 },
];
const IDLE: Column[] = [
  { title: "MB before", value: ({ idle }) => idle === undefined ? undefined : idle.beforeBytes / 2 ** 20, digits: 0 },
  { title: "core % at rest", value: ({ idle }) => idle === undefined ? undefined : 100 * idle.busy, digits: 0 },
];

function workloadTable(workload: Workload, peers: ReadonlyMap<string, readonly Outcome[]>): string {
  const main = mainColumn(workload);
  const columns = workload.idle === undefined ? LOAD : IDLE;
  const title = workload.needs === "sockets" ? "µs a message" : main.title;
  const name = `**${workload.name}**: ${workload.title}; latency at ${workload.rate.toLocaleString("en-US")}/s`;
  const titles = columns.map((column) => column.title);
  const latencies = [P50.title, P99.title, `p99 × ${BASE}`, P999.title];
  const rows = [[name, title, ...BASES.map((base) => `× ${base}`), ...titles, ...latencies, "errors, remarks"]];
  for (const [peer, outcomes] of peers) {
    const of = (base: string, column: Column) => shown(roundRatio(outcomes, peers.get(base) ?? [], column));
    rows.push([
      ...[peer, cell(outcomes, main), ...BASES.map((base) => of(base, main))],
      ...columns.map((column) => cell(outcomes, column)),
      ...[cell(outcomes, P50), cell(outcomes, P99), of(BASE, P99), cell(outcomes, P999), errorCell(outcomes)],
    ]);
  }
  return table(rows);
}

/**
 * How figures compare with those of a base: the median of the ratios of rounds, since a round's figures were measured one
 * after the other, on a machine whose speed changes. undefined where a round failed, or has no such figure.
 */
export function roundRatio(
  outcomes: readonly Outcome[],
  base: readonly Outcome[],
  column: Column,
): number | undefined {
  const values = valuesOf(outcomes, column);
  const baseValues = valuesOf(base, column);
  if (values === undefined || baseValues === undefined || values.length !== baseValues.length) return undefined;
  const ratios = values.map((value, round) => value / baseValues[round]);
  return ratios.every((found) => found > 0 && found < Infinity) ? median(ratios) : undefined;
}

function growthTables(outcomes: Outcomes): string[] {
  const families = Map.groupBy(outcomes.keys(), (workload) => workload.growth?.of);
  const tables: string[] = [];
  for (const [name, members] of families) {
    if (name === undefined || members.length < 2) continue;
    const main = mainColumn(members[0]);
    const sizes = members.map((workload) => workload.growth?.size ?? "");
    const rows = [[`**growth of ${name}**, ${main.title}`, ...sizes, `${sizes.at(-1)} / ${sizes[0]}`]];
    const peers = new Set(members.flatMap((workload) => [...outcomes.get(workload)?.keys() ?? []]));
    for (const peer of peers) {
      const found = members.map((workload) => outcomes.get(workload)?.get(peer) ?? []);
      if (found.every((list) => middle(list, main) === undefined)) continue;
      const ends = ratio(middle(found[found.length - 1], main), middle(found[0], main));
      rows.push([peer, ...found.map((list) => cell(list, main)), ends]);
    }
    tables.push(table(rows));
  }
  return tables;
}

function mainColumn(workload: Workload): Column {
  return workload.idle === undefined ? COST : MEMORY;
}

function middle(outcomes: readonly Outcome[], column: Column): number | undefined {
  const values = valuesOf(outcomes, column);
  return values === undefined ? undefined : median(values);
}

/** Those of all rounds. Failures stand in their own cells: the rounds that went well alone would hide them. */
function valuesOf(outcomes: readonly Outcome[], column: Column): number[] | undefined {
  const values = outcomes.flatMap((outcome) => "figures" in outcome ? column.value(outcome.figures) ?? [] : []);
  return values.length === 0 || values.length < outcomes.length ? undefined : values;
}

function cell(outcomes: readonly Outcome[], column: Column): string {
  if (outcomes.some((outcome) => "failure" in outcome)) return "failed";
  const value = middle(outcomes, column);
  return value === undefined ? ABSENT : fixed(value, column.digits);
}

function errorCell(outcomes: readonly Outcome[]): string {
  const said = outcomes.flatMap((outcome, n) => {
    const errors = "failure" in outcome ? [outcome.failure] : outcome.figures.errors;
    return errors.map((error) => outcomes.length > 1 ? `round ${n + 1}: ${error}` : error);
  });
  return said.length === 0 ? "none" : said.join("; ").replaceAll("|", "\\|").replaceAll("\n", " ");
}

function ratio(value: number | undefined, base: number | undefined): string {
  return shown(value === undefined || base === undefined || value <= 0 || base <= 0 ? undefined : value / base);
}

/** A ratio as text. */
export function shown(value: number | undefined): string {
  return value === undefined ? ABSENT : fixed(value, 2);
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}
