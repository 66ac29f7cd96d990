/**
 * An explanation of a request as text: one block for each subject, in columns.
 *
 * @module
 */

import type { ExplainedRoute, ExplainedUpstream, Explanation } from "../generation/explanation.ts";
import { paint, type Style } from "./terminal.ts";

/** Maximum number of other sites and routes; `--json` has more. */
const MOST_OTHERS = 12;

type Cells = readonly string[];

/** A row in columns, whose first cell has the style, or one of free text. */
type Row = { readonly style?: Style } & ({ readonly cells: Cells } | { readonly text: string });

interface Block {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** The text, without a line break at its end. */
export function explanationText(explanation: Explanation, colored: boolean): string {
  const { request } = explanation;
  const lines = [paint(colored, "bold", `${request.method} ${request.url}`)];
  for (const note of explanation.notes) lines.push(`${paint(colored, "yellow", "note")}  ${note}`);
  lines.push(`${paint(colored, resultStyle(explanation), "→")} ${resultOf(explanation)}`, "");
  const blocks = blocksOf(explanation).filter(({ rows }) => rows.length > 0);
  const width = Math.max(0, ...blocks.map(({ title }) => title.length)) + 3;
  for (const { title, rows } of blocks) {
    const widths = columnWidths(rows);
    for (const [index, row] of rows.entries()) {
      const head = index === 0 ? paint(colored, "cyan", title) + " ".repeat(width - title.length) : " ".repeat(width);
      const { style } = row;
      const painted = (text: string) => style === undefined ? text : paint(colored, style, text);
      lines.push((head + ("text" in row ? painted(row.text) : rowText(row.cells, widths, painted))).trimEnd());
    }
  }
  return lines.join("\n");
}

function resultStyle({ outcome }: Explanation): Style {
  return outcome === "refused" ? "red" : outcome === "redirect" ? "yellow" : "green";
}

function resultOf({ outcome, status, why, location, pool, files, forward }: Explanation): string {
  const code = status === null ? "" : `${status}: `;
  if (outcome === "upstream") return `pool ${pool?.name ?? ""}${forward?.websocket ? ", as a WebSocket" : ""}`;
  if (outcome === "files" && typeof files?.file === "string") return `${code}the file ${files.file}`;
  return `${code}${why}${location === null ? "" : `, to ${location}`}`;
}

function blocksOf(explanation: Explanation): Block[] {
  const { listener, rewritten, site, otherSites, route, forward, pool, files, settings } = explanation;
  return [
    { title: "Listener", rows: listener === null ? [] : [{ text: listener }] },
    {
      title: "Site",
      rows: site === null ? [] : [
        { style: "green", cells: [site.name, site.why] },
        ...otherSites.slice(0, MOST_OTHERS).map(({ name, hosts, why }) => ({
          style: "dim" as const,
          cells: [name, `no: ${why}${hosts.length === 0 ? "" : ` (${shortList(hosts)})`}`],
        })),
        ...more(otherSites.length - MOST_OTHERS),
      ],
    },
    { title: "Rewritten to", rows: rewritten === null ? [] : [{ text: rewritten }] },
    {
      title: "Route",
      rows: [
        ...(route === null ? [] : [{ style: "green" as const, cells: routeCells(route, route.why) }]),
        ...explanation.otherRoutes.slice(0, MOST_OTHERS).map((other) => ({
          style: "dim" as const,
          cells: routeCells(other, `no: ${other.why}`),
        })),
        ...more(explanation.otherRoutes.length - MOST_OTHERS, explanation.moreRoutes),
      ],
    },
    { title: "Upstream gets", rows: (forward?.head ?? []).map((line) => ({ text: line })) },
    {
      title: "Pool",
      rows: pool === null ? [] : [
        { style: "green", cells: [pool.name, pool.policy, forward?.hostOfUpstream ? "each gets its own Host" : ""] },
        ...pool.upstreams.map((upstream) => ({ cells: upstreamCells(upstream) })),
      ],
    },
    {
      title: "Files",
      rows: files === null ? [] : [
        { text: files.root },
        ...files.tried.map((path, index) => ({
          text: `${path}  ${index === files.tried.length - 1 ? lastLookUp(explanation) : "not there"}`,
        })),
      ],
    },
    { title: "Settings", rows: Object.entries(settings).map(([key, value]) => ({ cells: [key, value] })) },
  ];
}

function lastLookUp({ outcome, files }: Explanation): string {
  if (files?.file) return "found";
  return outcome === "redirect" ? "a folder" : outcome === "files" ? "found" : "not there";
}

function routeCells({ path, kind, methods }: ExplainedRoute, why: string): Cells {
  return [path, methods === null ? kind : `${kind}, ${methods.join(" ")}`, why];
}

function upstreamCells({ url, weight, backup, state, inFlight, note }: ExplainedUpstream): Cells {
  const facts = [`weight ${weight}`, backup ? "backup: only when no other can" : "", state ?? ""];
  const all = [...facts, inFlight === null ? "" : `${inFlight} in flight`, note ?? ""].filter((fact) => fact !== "");
  return [url, all.join(", ")];
}

function more(hidden: number, omitted = 0): Row[] {
  const count = Math.max(0, hidden) + omitted;
  return count === 0 ? [] : [{ style: "dim", text: `and ${count} more` }];
}

function shortList(names: readonly string[]): string {
  return names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
}

function columnWidths(rows: readonly Row[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    if ("text" in row) continue;
    for (const [column, cell] of row.cells.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return widths;
}

function rowText(cells: Cells, widths: readonly number[], paintFirst: (text: string) => string): string {
  return cells.map((cell, column) => {
    const text = column === cells.length - 1 ? cell : cell.padEnd(widths[column] + 2);
    return column === 0 ? paintFirst(text) : text;
  }).join("");
}
