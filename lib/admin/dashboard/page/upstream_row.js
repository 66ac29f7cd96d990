/**
 * An upstream as a row of its pool's table.
 *
 * @module
 */

import { element, icon, setBreakable, setData, setIcon, setShown, setText } from "./element.js";
import { formatCount, formatMs, formatShare, formatWhole } from "./format.js";
import { shareOf } from "./model.js";
import { Spark } from "./spark.js";
import { adminStateOf, shortUrl, STATES, timeLeft, wordOf } from "./upstream_states.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */

/** Columns of the table: class, heading, and what it means where the heading does not say it all. */
export const COLUMNS = /** @type {const} */ ([
  ["state", "State", ""],
  ["name", "Upstream", ""],
  ["weight", "Weight", "Share of the load"],
  ["flight", "In flight", "Attempts under way"],
  ["rate", "Req / s", "Attempts a second"],
  ["errors", "Errors", "Share of the attempts that failed"],
  ["p50", "p50", "Half of the attempts took no longer to the head of the response"],
  ["p95", "p95", "95 % of the attempts took no longer to the head of the response"],
  ["p99", "p99", "99 % of the attempts took no longer to the head of the response"],
  ["past", "Last 3 min", "Attempts, and in red those that failed"],
  ["act", "Change", ""],
]);

/** What a row can ask for. @typedef {{ open: (id: string) => void, toggle: (id: string) => void }} RowActions */

/** A row. */
export class UpstreamMemory {
  /** Whether it is on the screen; the figures of one that is not wait until it is. */
  visible = false;
  #icon = icon("active");
  #word = element("span");
  #left = element("span", { class: "left" });
  #name = element("button", { type: "button", class: "link" });
  #failure = element("td", { role: "cell", class: "failure" });
  #toggle = element("button", { type: "button", class: "small" });
  #backup = element("span", { class: "tag", title: "It serves only when no other can" });
  #spark = new Spark();
  /** @type {Record<string, HTMLTableCellElement>} */
  #cells = {};
  /** @type {UpstreamSnapshot | undefined} */
  #shown;
  element = element("tr", { role: "row" });

  /**
   * @param {string} id
   * @param {RowActions} actions
   */
  constructor(id, actions) {
    this.element.id = `upstream-${id}`;
    for (const [name] of COLUMNS) {
      const cell = name === "name"
        ? element("th", { scope: "row", role: "rowheader", class: name })
        : element("td", { role: "cell", class: name });
      this.#cells[name] = cell;
      this.element.append(cell);
    }
    this.#cells.state.append(element("span", { class: "word" }, this.#icon, this.#word, this.#left));
    this.#cells.name.append(this.#name, this.#backup);
    this.element.append(this.#failure);
    this.#cells.past.append(this.#spark.element);
    this.#cells.act.append(this.#toggle);
    this.#name.addEventListener("click", () => actions.open(id));
    this.#toggle.addEventListener("click", () => actions.toggle(id));
  }

  /**
   * @param {UpstreamSnapshot} upstream
   * @param {Model} model
   * @param {number} peak The highest rate in the pool: rows share their scale.
   */
  update(upstream, model, peak) {
    const { state } = upstream;
    setData(this.element, "state", state);
    setData(this.element, "tone", STATES[state].tone);
    setIcon(this.#icon, state);
    setText(this.#word, wordOf(state));
    setText(this.#left, timeLeft(upstream));
    this.#updateName(upstream);
    const first = this.#shown === undefined;
    this.#shown = upstream;
    if (!this.visible && !first) return;
    this.#updateFigures(upstream);
    const { requestRate, errorRate } = model.track(upstream.id);
    this.#spark.draw(model.times, requestRate, Math.max(1, peak * 1.05), errorRate);
  }

  /** @param {UpstreamSnapshot} upstream */
  #updateName({ url, lastFailure, state, backup }) {
    const { tone } = STATES[state];
    const failure = tone === "bad" || tone === "warn" ? lastFailure ?? "" : "";
    setBreakable(this.#failure, failure);
    setShown(this.#failure, failure !== "");
    setText(this.#backup, backup ? "backup" : "");
    setShown(this.#backup, backup);
    if (url !== this.#shown?.url) setBreakable(this.#name, shortUrl(url));
    if (state === this.#shown?.state) return;
    const word = adminStateOf(state) === "active" ? "Drain" : "Resume";
    setText(this.#toggle, word);
    this.#toggle.setAttribute("aria-label", `${word} ${shortUrl(url)}`);
  }

  /** @param {UpstreamSnapshot} upstream */
  #updateFigures(upstream) {
    const { weight, configWeight, inFlight, maxConnections, requestRate, p50Ms, p95Ms, p99Ms } = upstream;
    const { weight: weightCell, flight, rate, errors, p50, p95, p99 } = this.#cells;
    setText(weightCell, weight === configWeight ? String(weight) : `${weight} (${configWeight})`);
    setText(
      flight,
      maxConnections === 0 ? formatWhole(inFlight) : `${formatWhole(inFlight)} / ${formatWhole(maxConnections)}`,
    );
    setData(flight, "tone", maxConnections > 0 && inFlight >= maxConnections ? "warn" : undefined);
    setText(rate, formatCount(requestRate));
    const share = shareOf(upstream);
    setText(errors, formatShare(share));
    setData(errors, "tone", share >= 0.05 ? "bad" : share > 0 ? "warn" : "none");
    setText(p50, formatMs(p50Ms));
    setText(p95, formatMs(p95Ms));
    setText(p99, formatMs(p99Ms));
  }
}
