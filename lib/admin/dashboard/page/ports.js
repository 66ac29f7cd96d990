/**
 * The ports of the sites, and the connections of their clients.
 *
 * @module
 */

import { element, setText } from "./element.js";
import { formatWhole, NONE } from "./format.js";

/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../../snapshot.ts").PortSnapshot} PortSnapshot */

/** @type {readonly (readonly [string, string, (port: PortSnapshot) => string])[]} */
const COLUMNS = [
  ["Port", "name", ({ address, port }) => `${address.includes(":") ? `[${address}]` : address}:${port}`],
  ["Open", "", ({ connections }) => connections === null ? NONE : formatWhole(connections.open)],
  ["Accepted", "", ({ connections }) => connections === null ? NONE : formatWhole(connections.accepted)],
  ["Closed, by cause", "cause", ({ connections }) => connections === null ? NONE : closedBy(connections.closed)],
];

/** The table of ports. */
export class Ports {
  #body = element("tbody", { role: "rowgroup" });
  /** @type {HTMLElement[][]} */
  #rows = [];

  /** @param {HTMLTableElement} table */
  constructor(table) {
    const heading = COLUMNS.map(([name, kind]) =>
      element("th", { scope: "col", role: "columnheader", class: kind }, name)
    );
    table.append(element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heading)), this.#body);
  }

  /** @param {Snapshot} snapshot */
  update({ ports }) {
    while (this.#rows.length < ports.length) this.#addRow();
    while (this.#rows.length > ports.length) {
      this.#rows.pop();
      this.#body.lastElementChild?.remove();
    }
    ports.forEach((port, index) =>
      COLUMNS.forEach(([, , read], column) => setText(this.#rows[index][column], read(port)))
    );
  }

  #addRow() {
    const cells = COLUMNS.map(([, kind], column) =>
      column === 0
        ? element("th", { scope: "row", role: "rowheader", class: kind })
        : element("td", { role: "cell", class: kind })
    );
    this.#body.append(element("tr", { role: "row" }, ...cells));
    this.#rows.push(cells);
  }
}

/**
 * The causes of closed connections with their numbers, the most frequent first.
 *
 * @param {Readonly<Record<string, number>>} closed
 */
export function closedBy(closed) {
  const causes = Object.entries(closed).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  return causes.length === 0 ? NONE : causes.map(([cause, count]) => `${cause} ${formatWhole(count)}`).join(", ");
}
