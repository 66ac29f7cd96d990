/**
 * Exchanges that failed of late.
 *
 * @module
 */

import { shortUrl } from "./upstream_states.js";
import { arrange, element, setShown, setText } from "./element.js";
import { formatClock } from "./format.js";

/** @typedef {import("../../snapshot.ts").FailureSnapshot} FailureSnapshot */

const ROWS_AT_FIRST = 8;

/** The table of failures. */
export class Failures {
  #body = element("tbody", { role: "rowgroup" });
  #table;
  #none;
  #more;
  #all = false;
  /** @type {Map<number, HTMLElement>} */
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
    if (row === undefined) this.#rows.set(failure.number, row = failureRow(failure));
    return row;
  }
}

/**
 * @param {FailureSnapshot} failure
 * @returns {HTMLElement}
 */
function failureRow({ atMs, status, method, path, site, upstream, owner, cause, requestId }) {
  const where = upstream === null ? site : `${site} → ${shortUrl(upstream)}`;
  const cell = (/** @type {string} */ name, /** @type {(Node | string)[]} */ ...children) =>
    element("td", { role: "cell", class: name }, ...children);
  const what = element("span", { class: "detail" }, where);
  return element(
    "tr",
    { role: "row", title: `Request ${requestId}` },
    cell("time", element("time", { datetime: new Date(atMs).toISOString() }, formatClock(atMs))),
    cell(
      "status",
      element("b", { "data-tone": status >= 500 ? "bad" : "warn" }, String(status)),
      element("span", { class: "detail", title: "Whose fault it was" }, owner),
    ),
    cell("request", element("code", {}, `${method} ${path}`), what),
    cell("cause", cause),
  );
}
