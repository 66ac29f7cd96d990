/**
 * Exchanges that failed of late, equal ones together.
 *
 * @module
 */

import { shortUrl } from "./upstream_states.js";
import { arrange, element, setBreakable, setData, setShown, setText } from "./element.js";
import { formatClock, formatWhole } from "./format.js";

/** @typedef {import("../../snapshot.ts").FailureSnapshot} FailureSnapshot */

const ROWS_AT_FIRST = 8;

/** The table of failures. */
export class Failures {
  #body = element("tbody", { role: "rowgroup" });
  #table;
  #none;
  #more;
  #all = false;
  /** @type {Map<number, FailureRow>} */
  #rows = new Map();
  /** @type {readonly FailureSnapshot[]} */
  #shown = [];

  /**
   * @param {HTMLTableElement} table
   * @param {HTMLElement} none Shown when there is none.
   * @param {HTMLButtonElement} more
   */
  constructor(table, none, more) {
    this.#table = table;
    this.#none = none;
    this.#more = more;
    table.append(this.#body);
    more.addEventListener("click", () => {
      this.#all = !this.#all;
      this.update(this.#shown);
    });
  }

  /** @param {readonly FailureSnapshot[]} failures */
  update(failures) {
    this.#shown = failures;
    const shown = this.#all ? failures : failures.slice(0, ROWS_AT_FIRST);
    const numbers = new Set(shown.map(({ number }) => number));
    for (const number of this.#rows.keys()) if (!numbers.has(number)) this.#rows.delete(number);
    arrange(this.#body, shown.map((failure) => this.#row(failure)));
    setShown(this.#table, failures.length > 0);
    setShown(this.#none, failures.length === 0);
    setShown(this.#more, failures.length > ROWS_AT_FIRST);
    setText(this.#more, this.#all ? "Show the newest only" : `Show all ${failures.length}`);
    this.#more.setAttribute("aria-expanded", String(this.#all));
  }

  /**
   * @param {FailureSnapshot} failure
   * @returns {HTMLElement}
   */
  #row(failure) {
    let row = this.#rows.get(failure.number);
    if (row === undefined) this.#rows.set(failure.number, row = new FailureRow());
    row.update(failure);
    return row.element;
  }
}

/** A row: failures of one kind. */
class FailureRow {
  #time = element("time");
  #since = element("span", { class: "detail" });
  #status = element("b");
  #owner = element("span", { class: "detail" });
  #request = element("code");
  #where = element("span", { class: "detail" });
  #count = element("b", { class: "count" });
  #cause = element("span");
  element = element(
    "tr",
    { role: "row" },
    element("td", { role: "cell", class: "time" }, this.#time, this.#since),
    element("td", { role: "cell", class: "status" }, this.#status, this.#owner),
    element("td", { role: "cell", class: "request" }, this.#request, this.#where),
    element("td", { role: "cell", class: "cause" }, this.#count, this.#cause),
  );

  /** @param {FailureSnapshot} failure */
  update({ atMs, firstAtMs, status, method, path, manyPaths, site, upstream, owner, saved, cause, count, requestId }) {
    this.element.title = count === 1 ? `Request ${requestId}` : `The last one is request ${requestId}`;
    this.#time.dateTime = new Date(atMs).toISOString();
    setText(this.#time, formatClock(atMs));
    const since = count === 1 || formatClock(firstAtMs) === formatClock(atMs) ? "" : `since ${formatClock(firstAtMs)}`;
    setText(this.#since, since);
    setData(this.#status, "tone", saved ? "note" : status >= 500 ? "bad" : "warn");
    setText(this.#status, String(status));
    setText(this.#owner, saved ? "saved by a retry" : owner);
    setBreakable(this.#request, `${method} ${path}`);
    const where = [...(site === "" ? [] : [site]), ...(upstream === null ? [] : [shortUrl(upstream)])].join(" → ");
    setBreakable(this.#where, manyPaths ? `and other paths, ${where}` : where);
    setText(this.#count, count === 1 ? "" : `× ${formatWhole(count)}`);
    setBreakable(this.#cause, cause);
  }
}
