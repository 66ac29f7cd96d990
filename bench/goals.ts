/**
 * What BWS is to cost beside nginx, and whether it does.
 *
 * @module
 */

import { BASE, type Column, COST, type Outcomes, P99, roundRatio, shown, table } from "./report.ts";
import type { Goal } from "./workload.ts";

/** Drivers of the peers that are BWS, by the peer's name. Its own choice on Linux is epoll. */
const DRIVERS: Readonly<Record<string, keyof Exclude<Goal, number>>> = {
  "BWS": "epoll",
  "BWS, epoll": "epoll",
  "BWS, uring": "uring",
  "BWS, runtime": "runtime",
};
/** The most that p99 at the fixed rate may be, times nginx's, everywhere. */
const P99_GOAL = 1.2;

/** Table of all goals, as Markdown; empty where nothing was measured that has one. */
export function goalTable(outcomes: Outcomes): string {
  const found = [...outcomes].filter(([workload]) => workload.goal !== undefined);
  const names = Object.keys(DRIVERS).filter((name) => found.some(([, peers]) => peers.has(name)));
  if (names.length === 0) return "";
  const titles = names.flatMap((name) => [`${name}: goal`, "processor time", `p99 (goal ${P99_GOAL})`]);
  const rows = [["**goals**, times nginx", ...titles]];
  for (const [{ title, goal }, peers] of found) {
    const cells = names.flatMap((name) => {
      const most = typeof goal === "number" ? goal : goal![DRIVERS[name]];
      const measured = (column: Column) => roundRatio(peers.get(name) ?? [], peers.get(BASE) ?? [], column);
      return [String(most), judged(measured(COST), most), judged(measured(P99), P99_GOAL)];
    });
    rows.push([title, ...cells]);
  }
  return table(rows);
}

function judged(ratio: number | undefined, most: number): string {
  return ratio !== undefined && ratio > most ? `${shown(ratio)} ✗` : shown(ratio);
}
