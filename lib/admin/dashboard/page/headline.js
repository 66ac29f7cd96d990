/**
 * The strip of figures at the top.
 *
 * @module
 */

import { element, setData, setText } from "./element.js";
import { formatBytes, formatCount, formatDuration, formatMs, formatShare, formatWhole, NONE } from "./format.js";
import { shareOf } from "./model.js";
import { Spark } from "./spark.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */

/**
 * What a tile shows.
 *
 * @typedef {object} Tile
 * @property {string} name
 * @property {string} [title] What the name leaves open.
 * @property {(snapshot: Snapshot) => string} figure
 * @property {(snapshot: Snapshot) => string} [detail]
 * @property {(model: Model) => Float64Array} [values]
 * @property {number} [leastTop] The scale ends no lower: noise at rest must not look like load.
 * @property {(snapshot: Snapshot) => "bad" | "warn" | undefined} [tone]
 * @property {boolean} [counted] Whether it comes out of metrics, which may be off.
 */

/** @type {readonly Tile[]} */
const TILES = [
  {
    name: "Requests / s",
    title: "Requests whose response has ended; those that go on are in flight",
    counted: true,
    figure: ({ totals }) => formatCount(totals.requestRate),
    detail: ({ totals }) => `${formatCount(totals.requests)} in all`,
    values: ({ totals }) => totals.requestRate,
    leastTop: 10,
  },
  {
    name: "Errors",
    title: "Share of the requests that got a status of 5xx, or no response",
    counted: true,
    figure: ({ totals }) => formatShare(shareOf(totals)),
    detail: ({ totals }) => `${formatCount(totals.errorRate)} a second`,
    values: ({ totals }) => totals.errorShare,
    leastTop: 0.05,
    tone: ({ totals }) => shareOf(totals) >= 0.05 ? "bad" : shareOf(totals) >= 0.01 ? "warn" : undefined,
  },
  {
    name: "p99 to the end",
    title: "99 % of the responses had ended by then; WebSockets and event streams are left out",
    counted: true,
    figure: ({ totals }) => formatMs(totals.p99Ms),
    detail: ({ totals }) => `p50 ${formatMs(totals.p50Ms)}`,
    values: ({ totals }) => totals.p99Ms,
    leastTop: 20,
  },
  {
    name: "In flight",
    figure: ({ totals }) => formatWhole(totals.inFlight),
    detail: ({ metrics, totals: { openSockets } }) =>
      !metrics ? "" : openSockets === 1 ? "1 WebSocket" : `${formatWhole(openSockets)} WebSockets`,
    values: ({ totals }) => totals.inFlight,
    leastTop: 10,
  },
  {
    name: "Memory",
    figure: ({ process }) => formatBytes(process.memoryBytes),
    detail: ({ process }) => `${process.cpuCores.toFixed(2)} cores busy`,
    values: ({ totals }) => totals.memoryBytes,
  },
  {
    name: "Generation",
    figure: ({ config }) => String(config.generation),
    detail: ({ atMs, config }) => `for ${formatDuration(Math.max(0, atMs - config.loadedAtMs))}`,
    tone: ({ config }) => config.refused === null ? undefined : "bad",
  },
  {
    name: "Uptime",
    figure: ({ uptimeMs }) => formatDuration(uptimeMs),
    detail: ({ process: { workers } }) => workers.length === 1 ? "1 worker" : `${workers.length} workers`,
  },
];

/** The strip. */
export class Headline {
  #tiles;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#tiles = TILES.map((tile) => {
      const figure = element("dd", { class: "figure" });
      const detail = element("dd", { class: "detail" });
      const box = element(
        "div",
        { class: "tile", ...(tile.title === undefined ? {} : { title: tile.title }) },
        element("dt", {}, tile.name),
        figure,
        detail,
      );
      const spark = tile.values === undefined ? undefined : new Spark();
      if (spark !== undefined) box.append(spark.element);
      place.append(box);
      return { ...tile, box, figureText: figure, detailText: detail, spark };
    });
  }

  /** @param {Model} model */
  update(model) {
    const { snapshot } = model;
    for (const tile of this.#tiles) {
      const known = snapshot.metrics || tile.counted !== true;
      setText(tile.figureText, known ? tile.figure(snapshot) : NONE);
      setText(tile.detailText, known ? tile.detail?.(snapshot) ?? "" : "not kept");
      if (!known) continue;
      setData(tile.box, "tone", tile.tone?.(snapshot));
      if (tile.values === undefined) continue;
      const values = tile.values(model);
      tile.spark?.draw(model.times, values, Math.max(tile.leastTop ?? 0, model.peak([values]) * 1.05));
    }
  }
}
