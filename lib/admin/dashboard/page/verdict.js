/**
 * The first thing on the page: whether all is well, and if not, what is wrong.
 *
 * @module
 */

import { arrange, element, icon, setBreakable, setData, setIcon, setShown, setText } from "./element.js";
import { formatClock } from "./format.js";
import { countTroubles, NO_METRICS, troublesOf, verdictOf } from "./problems.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./problems.js").Trouble} Trouble */

const MOST_SHOWN = 8;

/** The verdict. */
export class Verdict {
  #box;
  #icon = icon("active");
  #title = element("h2", { id: "verdict-title" });
  #summary = element("p", { class: "summary" });
  #list = element("ul", { class: "troubles" });
  #more = element("p", { class: "more" });
  #diagnostics = element("div", { class: "diagnostics" });
  #refusedAtMs = 0;
  /** @type {Map<string, TroubleItem>} */
  #items = new Map();
  #onShow;

  /**
   * @param {HTMLElement} place
   * @param {(trouble: Trouble) => void} onShow Called when someone wants to see where it is wrong.
   */
  constructor(place, onShow) {
    this.#box = place;
    this.#onShow = onShow;
    const head = element("div", { class: "verdict-head" }, this.#title, this.#summary);
    head.prepend(this.#icon);
    place.append(head, this.#list, this.#more, this.#diagnostics);
  }

  /**
   * @param {Model} model
   * @returns {number} How many things are wrong.
   */
  update({ snapshot }) {
    const troubles = troublesOf(snapshot);
    const count = countTroubles(troubles);
    const worst = troubles[0]?.tone ?? "good";
    const tone = count > 0 ? worst : snapshot.metrics ? "good" : "note";
    setData(this.#box, "tone", tone);
    setIcon(this.#icon, tone === "bad" ? "unhealthy" : tone === "warn" ? "ejected" : "active");
    setText(this.#title, verdictOf(snapshot, count));
    setText(this.#summary, summaryOf(snapshot) + (snapshot.metrics ? "" : `. ${NO_METRICS}`));
    this.#showTroubles(troubles.slice(0, MOST_SHOWN));
    const hidden = troubles.length - MOST_SHOWN;
    setText(this.#more, hidden > 0 ? `and ${hidden} more below` : "");
    setShown(this.#more, hidden > 0);
    this.#showDiagnostics(snapshot.config.refused);
    return count;
  }

  /**
   * Nobody knows how it is now: nothing that was found is said of this moment.
   *
   * @param {number} atMs When the last snapshot was taken.
   */
  lose(atMs) {
    setData(this.#box, "tone", "bad");
    setIcon(this.#icon, "unhealthy");
    setText(this.#title, "The server does not respond");
    setText(this.#summary, `this is how it was at ${formatClock(atMs)}`);
    for (const part of [this.#list, this.#more, this.#diagnostics]) setShown(part, false);
  }

  /** @param {readonly Trouble[]} troubles */
  #showTroubles(troubles) {
    const keys = new Set(troubles.map(({ key }) => key));
    for (const key of this.#items.keys()) if (!keys.has(key)) this.#items.delete(key);
    const items = troubles.map((trouble) => {
      let item = this.#items.get(trouble.key);
      if (item === undefined) this.#items.set(trouble.key, item = new TroubleItem(this.#onShow));
      item.update(trouble);
      return item.element;
    });
    arrange(this.#list, items);
    setShown(this.#list, items.length > 0);
  }

  /** @param {import("../../snapshot.ts").RefusedReload | null} refused */
  #showDiagnostics(refused) {
    setShown(this.#diagnostics, refused !== null);
    if (refused === null || refused.atMs === this.#refusedAtMs) return;
    this.#refusedAtMs = refused.atMs;
    this.#diagnostics.replaceChildren(
      element("h3", {}, `The config refused at ${formatClock(refused.atMs)}`),
      ...refused.problems.slice(0, 20).map(diagnostic),
    );
  }
}

/** One line of the list. */
class TroubleItem {
  /** @type {Trouble | undefined} */
  #trouble;
  #icon = icon("active");
  #title = element("button", { type: "button", class: "link" });
  #detail = element("span", { class: "detail" });
  #left = element("span", { class: "left" });
  element = element("li", {}, this.#icon, this.#title, this.#detail, this.#left);

  /** @param {(trouble: Trouble) => void} onShow */
  constructor(onShow) {
    this.#title.addEventListener("click", () => {
      if (this.#trouble !== undefined) onShow(this.#trouble);
    });
  }

  /** @param {Trouble} trouble */
  update(trouble) {
    this.#trouble = trouble;
    setData(this.element, "tone", trouble.tone);
    setIcon(this.#icon, SHAPES[trouble.kind] ?? trouble.kind);
    setBreakable(this.#title, trouble.title);
    setBreakable(this.#detail, trouble.detail);
    setText(this.#left, trouble.left);
  }
}

/** @type {Readonly<Record<string, string>>} */
const SHAPES = { reload: "unhealthy", port: "unhealthy", pool: "unhealthy", errors: "ejected", worker: "ejected" };

/**
 * @param {import("../../snapshot.ts").Snapshot} snapshot
 * @returns {string}
 */
function summaryOf({ pools, sites }) {
  const upstreams = pools.flatMap((pool) => pool.upstreams);
  const active = upstreams.filter(({ state }) => state === "active").length;
  const siteCount = sites.length === 1 ? "1 site" : `${sites.length} sites`;
  if (upstreams.length === 0) return siteCount;
  const poolCount = pools.length === 1 ? "1 pool" : `${pools.length} pools`;
  return `${activeText(active, upstreams.length)} in ${poolCount}, ${siteCount}`;
}

/**
 * @param {number} active
 * @param {number} count
 * @returns {string}
 */
function activeText(active, count) {
  if (count === 1) return `the upstream is ${active === 1 ? "" : "not "}active`;
  return `${active === count ? "all" : `${active} of`} ${count} upstreams active`;
}

/**
 * @param {import("../../../config/problem.ts").Problem} problem
 * @returns {HTMLElement}
 */
function diagnostic({ file, line, column, length, message, expected, suggestion, sourceLine, path, severity }) {
  const place = line > 0 ? `${file}:${line}:${column}` : path;
  const rest = (expected === undefined ? "" : `, expected ${expected}`) +
    (suggestion === undefined ? "" : ` (did you mean "${suggestion}"?)`);
  const box = element(
    "div",
    { class: "diagnostic", "data-tone": severity === "error" ? "bad" : "warn" },
    element("p", {}, element("code", {}, place), ` ${message}${rest}`),
  );
  if (line > 0) {
    const before = sourceLine.slice(0, column - 1);
    const found = sourceLine.slice(column - 1, column - 1 + Math.max(1, length));
    const after = sourceLine.slice(column - 1 + Math.max(1, length));
    box.append(element("pre", { tabindex: "0" }, before, element("mark", {}, found), after));
  }
  return box;
}
