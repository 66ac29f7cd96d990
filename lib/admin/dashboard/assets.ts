/**
 * The files of the dashboard, for the management listener. They are imported as text, so that they are included in a single
 * binary and in the package.
 *
 * @module
 */

import { createHash } from "node:crypto";
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import announcer from "./page/announcer.js" with { type: "text" };
import base from "./page/base.css" with { type: "text" };
import details from "./page/details.js" with { type: "text" };
import dialogs from "./page/dialogs.css" with { type: "text" };
import element from "./page/element.js" with { type: "text" };
import failures from "./page/failures.js" with { type: "text" };
import feed from "./page/feed.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import headline from "./page/headline.js" with { type: "text" };
import lastUpstream from "./page/last_upstream.js" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import mark from "./page/mark.svg" with { type: "text" };
import markAlert from "./page/mark-alert.svg" with { type: "text" };
import model from "./page/model.js" with { type: "text" };
import page from "./page/page.html" with { type: "text" };
import style from "./page/page.css" with { type: "text" };
import plots from "./page/plots.js" with { type: "text" };
import poolLabels from "./page/pool_labels.js" with { type: "text" };
import poolSection from "./page/pool_section.js" with { type: "text" };
import pools from "./page/pools.js" with { type: "text" };
import ports from "./page/ports.js" with { type: "text" };
import problems from "./page/problems.js" with { type: "text" };
import sites from "./page/sites.js" with { type: "text" };
import snapshotStream from "./page/snapshot_stream.js" with { type: "text" };
import spark from "./page/spark.js" with { type: "text" };
import tables from "./page/tables.css" with { type: "text" };
import upstreamRow from "./page/upstream_row.js" with { type: "text" };
import upstreamStates from "./page/upstream_states.js" with { type: "text" };
import verdict from "./page/verdict.js" with { type: "text" };
import workers from "./page/workers.js" with { type: "text" };

/** A file of the dashboard. */
export interface DashboardAsset {
  /** Its Content-Type. */
  readonly contentType: string;
  /** Its bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Its strong entity tag, with quotes. */
  readonly etag: string;
}

/**
 * Header fields of every file of the dashboard. All resources are from this listener and none is inline; no other page may
 * frame the dashboard, against clickjacking. With `no-cache` browsers revalidate each file by its entity tag, so that a page
 * never runs with the scripts of another version.
 */
export const DASHBOARD_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const SCRIPTS: Readonly<Record<string, string>> = {
  ...{ announcer, details, element, failures, feed, format, headline, main, model, plots },
  ...{
    pool_labels: poolLabels,
    pool_section: poolSection,
    pools,
    ports,
    problems,
    sites,
    snapshot_stream: snapshotStream,
    spark,
  },
  ...{
    last_upstream: lastUpstream,
    upstream_row: upstreamRow,
    upstream_states: upstreamStates,
    verdict,
    workers,
    uplot: uplotScript,
  },
};
const STYLES: Readonly<Record<string, string>> = { base, dialogs, page: style, tables, uplot: uplotStyle };
const MARKS: Readonly<Record<string, string>> = { mark, "mark-alert": markAlert };

let made: ReadonlyMap<string, DashboardAsset> | undefined;

/** The files by path: the page at `/`, all others below `/dashboard/`. They contain no secrets and need no API key. */
export function dashboardAssets(): ReadonlyMap<string, DashboardAsset> {
  return made ??= new Map([
    ["/", asset(page, "text/html; charset=utf-8")],
    ...entries(SCRIPTS, "js", "text/javascript; charset=utf-8"),
    ...entries(STYLES, "css", "text/css; charset=utf-8"),
    ...entries(MARKS, "svg", "image/svg+xml"),
  ]);
}

function entries(texts: Readonly<Record<string, string>>, extension: string, contentType: string): Entry[] {
  return Object.entries(texts).map(([name, text]) => [`/dashboard/${name}.${extension}`, asset(text, contentType)]);
}

type Entry = [path: string, asset: DashboardAsset];

function asset(text: string, contentType: string): DashboardAsset {
  const body = new TextEncoder().encode(text);
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { contentType, body, etag };
}
