/**
 * A pool: its figures, a mark for each upstream, and the table.
 *
 * @module
 */

import { arrange, element, setBreakable, setData, setShown, setText } from "./element.js";
import { formatCount, formatShare, formatWhole } from "./format.js";
import { shareOf } from "./model.js";
import { COLUMNS, UpstreamMemory } from "./upstream_row.js";
import { BY_GRAVITY, rankOf, shortUrl, STATES, wordOf } from "./upstream_states.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./upstream_row.js").RowActions} RowActions */
/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */

/** Orders of rows by name. */
export const ORDERS = /** @type {const} */ (["worst", "config", "rate", "errors", "p99"]);

/** Which rows, and in which order. @typedef {{ filter: string, order: typeof ORDERS[number] }} View */

const ROWS_AT_FIRST = 20;
const canHover = matchMedia("(hover: hover)");

/** A pool's part of the page. */
export class PoolSection {
  #name = element("h3");
  #about = element("p", { class: "about" });
  #rate = element("span");
  #errors = element("b");
  #rest = element("span");
  #figures = element("p", { class: "figures" }, this.#rate, this.#errors, this.#rest);
  #marks = element("div", { class: "marks", "aria-hidden": "true" });
  #counts = element("p", { class: "counts" });
  #body = element("tbody", { role: "rowgroup" });
  #more = element("button", { type: "button", class: "quiet more" });
  #none = element("p", { class: "empty" });
  #all = false;
  /** @type {Map<string, UpstreamMemory>} */
  #rows = new Map();
  /** @type {WeakMap<Element, UpstreamMemory>} */
  #memoryOf = new WeakMap();
  /** @type {readonly string[]} */
  #ordered = [];
  #lastView = "";
  /** @type {{ pool: PoolSnapshot, model: Model, peak: number } | undefined} */
  #shown;
  #observer;
  #actions;
  element;

  /**
   * @param {string} id
   * @param {RowActions} actions
   * @param {() => void} onChange Called when it has to be updated.
   */
  constructor(id, actions, onChange) {
    this.#actions = actions;
    this.#name.id = `pool-${id}`;
    const heading = COLUMNS.map(([name, title, meaning]) =>
      element(
        "th",
        { scope: "col", role: "columnheader", class: name, ...(meaning === "" ? {} : { title: meaning }) },
        title,
      )
    );
    const table = element(
      "table",
      { role: "table", "aria-labelledby": this.#name.id },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heading)),
      this.#body,
    );
    this.element = element(
      "section",
      { class: "card pool", "aria-labelledby": this.#name.id },
      element("div", { class: "pool-head" }, element("div", {}, this.#name, this.#about), this.#figures),
      element("div", { class: "pool-marks" }, this.#marks, this.#counts),
      table,
      this.#none,
      this.#more,
    );
    this.#more.addEventListener("click", () => {
      this.#all = !this.#all;
      onChange();
    });
    this.#marks.addEventListener("click", ({ target }) => {
      const id = target instanceof HTMLElement ? target.dataset.id : undefined;
      if (id !== undefined) actions.open(id);
    });
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: "200px" });
  }

  /**
   * @param {PoolSnapshot} pool
   * @param {Model} model
   * @param {View} view
   */
  update(pool, model, view) {
    const peak = model.peak(pool.upstreams.map(({ id }) => model.track(id).requestRate));
    this.#shown = { pool, model, peak };
    setBreakable(this.#name, pool.name);
    setText(this.#about, `${pool.policy.replaceAll("_", " ")}, site ${pool.site}`);
    this.#updateFigures(pool, model.snapshot.metrics);
    this.#updateMarks(pool.upstreams);
    this.#updateRows(pool, view);
    for (const upstream of pool.upstreams) this.#rows.get(upstream.id)?.update(upstream, model, peak);
  }

  /** Stops watching. */
  remove() {
    this.#observer.disconnect();
    this.element.remove();
  }

  /**
   * @param {PoolSnapshot} pool
   * @param {boolean} metrics Whether they are kept.
   */
  #updateFigures(pool, metrics) {
    const { inFlight, waiting } = pool;
    const share = shareOf(pool);
    setText(this.#rate, metrics ? `${formatCount(pool.requestRate)} req/s  ·  ` : "");
    setText(this.#errors, metrics ? `${formatShare(share)} errors` : "");
    setData(this.#errors, "tone", share >= 0.05 ? "bad" : undefined);
    const rest = [`${formatWhole(inFlight)} in flight`, ...(waiting > 0 ? [`${formatWhole(waiting)} waiting`] : [])];
    setText(this.#rest, (metrics ? "  ·  " : "") + rest.join("  ·  "));
  }

  /** @param {readonly UpstreamSnapshot[]} upstreams */
  #updateMarks(upstreams) {
    while (this.#marks.childElementCount < upstreams.length) this.#marks.append(element("i"));
    while (this.#marks.childElementCount > upstreams.length) this.#marks.lastElementChild?.remove();
    /** @type {Map<string, number>} */
    const counts = new Map();
    let mark = /** @type {HTMLElement | null} */ (this.#marks.firstElementChild);
    for (const { id, url, state } of upstreams) {
      counts.set(state, (counts.get(state) ?? 0) + 1);
      if (mark === null) break;
      if (mark.dataset.id !== id || mark.dataset.state !== state) {
        mark.title = `${shortUrl(url)}: ${wordOf(state)}`;
        setData(mark, "id", id);
        setData(mark, "state", state);
        setData(mark, "tone", STATES[state].tone);
      }
      mark = /** @type {HTMLElement | null} */ (mark.nextElementSibling);
    }
    const said = BY_GRAVITY.flatMap((state) => counts.has(state) ? [`${counts.get(state)} ${wordOf(state)}`] : []);
    setText(this.#counts, said.reverse().join(", "));
  }

  /**
   * @param {PoolSnapshot} pool
   * @param {View} view
   */
  #updateRows({ upstreams }, view) {
    const matching = upstreams.filter((upstream) => matches(upstream, view.filter));
    const ids = this.#order(matching, view);
    const most = this.#all || view.filter !== "" ? ids.length : ROWS_AT_FIRST;
    arrange(this.#body, ids.slice(0, most).map((id) => this.#row(id).element));
    const known = new Set(upstreams.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (known.has(id) && row.element.isConnected) continue;
      if (!known.has(id)) this.#rows.delete(id);
      row.visible = false;
    }
    setShown(this.#more, view.filter === "" && ids.length > ROWS_AT_FIRST);
    setText(this.#more, this.#all ? `Show ${ROWS_AT_FIRST} only` : `Show all ${ids.length} upstreams`);
    this.#more.setAttribute("aria-expanded", String(this.#all));
    setShown(this.#none, ids.length === 0);
    setText(this.#none, upstreams.length === 0 ? "The pool has no upstreams." : "No upstream matches the filter.");
  }

  /**
   * Rows do not move under the pointer or while one of them has the focus.
   *
   * @param {readonly UpstreamSnapshot[]} upstreams
   * @param {View} view
   * @returns {readonly string[]}
   */
  #order(upstreams, { filter, order }) {
    const lastView = this.#lastView;
    this.#lastView = `${filter}\n${order}`;
    const held = lastView === this.#lastView && upstreams.length === this.#ordered.length &&
      this.#body.matches(canHover.matches ? ":hover, :focus-within" : ":focus-within");
    const ordered = new Set(this.#ordered);
    if (held && upstreams.every(({ id }) => ordered.has(id))) return this.#ordered;
    const sorted = order === "config" ? upstreams : upstreams.toSorted(COMPARE[order]);
    return this.#ordered = sorted.map(({ id }) => id);
  }

  /**
   * @param {string} id
   * @returns {UpstreamMemory}
   */
  #row(id) {
    let row = this.#rows.get(id);
    if (row === undefined) {
      row = new UpstreamMemory(id, this.#actions);
      this.#rows.set(id, row);
      this.#memoryOf.set(row.element, row);
      this.#observer.observe(row.element);
    }
    return row;
  }

  /** @param {readonly IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.#memoryOf.get(target);
      if (row === undefined) continue;
      row.visible = isIntersecting;
      const found = isIntersecting ? this.#shown?.model.find(target.id.slice("upstream-".length)) : undefined;
      if (found !== undefined && this.#shown !== undefined) {
        row.update(found.upstream, this.#shown.model, this.#shown.peak);
      }
    }
  }
}

/** @type {Record<Exclude<View["order"], "config">, (a: UpstreamSnapshot, b: UpstreamSnapshot) => number>} */
const COMPARE = {
  worst: (a, b) => rankOf(a.state) - rankOf(b.state),
  rate: (a, b) => b.requestRate - a.requestRate,
  errors: (a, b) => shareOf(b) - shareOf(a) || b.errorRate - a.errorRate,
  p99: (a, b) => (b.p99Ms ?? -1) - (a.p99Ms ?? -1),
};

/**
 * @param {UpstreamSnapshot} upstream
 * @param {string} filter In lower case.
 * @returns {boolean}
 */
function matches({ url, state }, filter) {
  return filter === "" || url.toLowerCase().includes(filter) || wordOf(state).includes(filter);
}
