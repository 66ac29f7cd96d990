/**
 * The large plots. uPlot comes as a script of its own before the modules.
 *
 * @module
 */

import { element } from "./element.js";
import { formatCount, formatMs } from "./format.js";

/** @typedef {import("uplot")} Plot */
/** @typedef {import("./model.js").Model} Model */

/**
 * A line of a plot; `color` is the name of a custom property of the page.
 *
 * @typedef {{ name: string, color: string, filled?: boolean, dash?: number[], values: (model: Model) => Float64Array }} Line
 */

const Plot = /** @type {{ uPlot: typeof import("uplot") }} */ (/** @type {unknown} */ (globalThis)).uPlot;
const HEIGHT = 190;

/** Requests and failures a second. @type {readonly Line[]} */
export const REQUEST_LINES = [
  { name: "requests", color: "--accent", filled: true, values: ({ totals }) => totals.requestRate },
  { name: "failed", color: "--bad", filled: true, values: ({ totals }) => totals.errorRate },
];

/** Latencies. @type {readonly Line[]} */
export const LATENCY_LINES = [
  { name: "p99", color: "--accent", values: ({ totals }) => totals.p99Ms },
  { name: "p95", color: "--accent", dash: [6, 3], values: ({ totals }) => totals.p95Ms },
  { name: "p50", color: "--soft", dash: [2, 3], values: ({ totals }) => totals.p50Ms },
];

/** A plot of figures over time. */
export class TimePlot {
  #plot;
  #lines;
  #resizing;
  #ended = new AbortController();

  /**
   * @param {HTMLElement} place
   * @param {readonly Line[]} lines
   * @param {{ unit: "ms" | "count", leastTop: number, height?: number }} options
   */
  constructor(place, lines, { unit, leastTop, height = HEIGHT }) {
    this.#lines = lines;
    const format = unit === "ms" ? formatMs : formatCount;
    const color = () => getComputedStyle(document.documentElement);
    const axis = {
      stroke: () => color().getPropertyValue("--soft"),
      grid: { stroke: () => color().getPropertyValue("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    /** @type {import("uplot").Options} */
    const options = {
      width: Math.max(200, place.clientWidth),
      height,
      cursor: { sync: { key: "time" }, points: { size: 6 }, drag: { x: false, y: false } },
      legend: { live: true, markers: { dash: (_plot, series) => markOf(lines[series - 1]?.dash) } },
      // It is set anew when the plot is first drawn.
      hooks: { ready: [(plot) => plot.setLegend({ idx: plot.data[0].length - 1 })] },
      padding: [8, 32, 0, 0],
      scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(leastTop, (high ?? 0) * 1.1)] } },
      axes: [
        {
          ...axis,
          size: 30,
          gap: 7,
          space: 70,
          values: [[1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]],
        },
        {
          ...axis,
          size: 56,
          gap: 4,
          space: 32,
          values: (_plot, values) => values.map((value) => value === 0 ? "0" : format(value)),
        },
      ],
      series: [
        { label: "time", value: "{HH}:{mm}:{ss}" },
        ...lines.map((line) => ({
          label: line.name,
          stroke: () => color().getPropertyValue(line.color),
          width: 1.5,
          points: { show: false },
          value: (/** @type {unknown} */ _plot, /** @type {number | null} */ value) =>
            value === null || value === undefined || Number.isNaN(value) ? "–" : format(value),
          ...(line.dash === undefined ? {} : { dash: line.dash }),
          ...(line.filled ? { fill: () => color().getPropertyValue(`${line.color}-wash`) } : {}),
        })),
      ],
    };
    this.#plot = new Plot(options, [[], ...lines.map(() => [])], place);
    this.#resizing = new ResizeObserver(() => {
      // In the next frame, so that the observer does not see what it causes.
      requestAnimationFrame(() => this.#plot.setSize({ width: Math.max(200, place.clientWidth), height }));
    });
    this.#resizing.observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot.redraw(false), {
      signal: this.#ended.signal,
    });
  }

  /** @param {Model} model */
  update(model) {
    const { atMs, length } = model.times;
    const times = atMs.slice(0, length).map((ms) => ms / 1000);
    const values = this.#lines.map((line) => gaps(line.values(model).subarray(0, length)));
    this.#plot.setData([times, ...values]);
    // Without a pointer on it the legend shows the last values.
    if ((this.#plot.cursor.left ?? -1) < 0) this.#plot.setLegend({ idx: length - 1 });
  }

  /** Takes it out of the page. */
  remove() {
    this.#ended.abort();
    this.#resizing.disconnect();
    this.#plot.destroy();
  }
}

/**
 * A figure of a plot, with a caption.
 *
 * @param {HTMLElement} place
 * @param {string} title
 * @returns {HTMLElement} Where the plot goes.
 */
export function plotFigure(place, title) {
  const canvas = element("div", { class: "plot", role: "img", "aria-label": `${title}, over the last minutes` });
  place.append(element("figure", { class: "card" }, element("figcaption", {}, title), canvas));
  return canvas;
}

/**
 * The legend shows how the line is drawn.
 *
 * @param {number[] | undefined} dash
 * @returns {string}
 */
function markOf(dash) {
  return dash === undefined ? "solid" : dash[0] <= 2 ? "dotted" : "dashed";
}

/**
 * uPlot's gap is null.
 *
 * @param {Float64Array} values
 * @returns {(number | null)[]}
 */
function gaps(values) {
  return Array.from(values, (value) => Number.isNaN(value) ? null : value);
}
