/**
 * The program itself: workers and what the machine says.
 *
 * @module
 */

import { element, setData, setText } from "./element.js";
import { formatBytes, formatCount, formatMs, formatWhole, NONE } from "./format.js";
import { delayTone } from "./problems.js";

/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../../snapshot.ts").WorkerSnapshot} WorkerSnapshot */

/** @type {readonly (readonly [string, (worker: WorkerSnapshot) => string])[]} */
const COLUMNS = [
  ["State", ({ state }) => state],
  ["Req / s", ({ requestRate }) => formatCount(requestRate)],
  ["In flight", ({ inFlight }) => formatWhole(inFlight)],
  ["Loop delay", ({ loopDelayMs }) => formatMs(loopDelayMs)],
  ["Restarts", ({ restarts }) => formatWhole(restarts)],
];

/** The table of workers, and a line about the process. */
export class Workers {
  #body = element("tbody", { role: "rowgroup" });
  /** @type {HTMLTableCellElement[][]} */
  #rows = [];
  #about;

  /**
   * @param {HTMLTableElement} table
   * @param {HTMLElement} about
   */
  constructor(table, about) {
    this.#about = about;
    const names = ["Worker", ...COLUMNS.map(([name]) => name)];
    const heading = names.map((name) => element("th", { scope: "col", role: "columnheader" }, name));
    table.append(element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heading)), this.#body);
  }

  /** @param {Snapshot} snapshot */
  update({ metrics, process, totals, version }) {
    while (this.#rows.length < process.workers.length) this.#addRow();
    while (this.#rows.length > process.workers.length) {
      this.#rows.pop();
      this.#body.lastElementChild?.remove();
    }
    process.workers.forEach((worker, index) => {
      COLUMNS.forEach(([, read], column) => setText(this.#rows[index][column], read(worker)));
      if (!metrics) setText(this.#rows[index][3], NONE);
      setData(this.#rows[index][0], "tone", worker.state === "ended" ? "bad" : undefined);
      setData(this.#rows[index][3], "tone", delayTone(process, worker.loopDelayMs));
    });
    const files = process.openFiles === null ? NONE : formatWhole(process.openFiles);
    setText(
      this.#about,
      `bws ${version}  ·  ${files} open files  ·  sockets by ${process.sockets.driver}` +
        (metrics ? `  ·  bodies ${formatBytes(totals.receivedRate)}/s in, ${formatBytes(totals.sentRate)}/s out` : ""),
    );
  }

  #addRow() {
    const cells = COLUMNS.map(() => element("td", { role: "cell" }));
    const name = element("th", { scope: "row", role: "rowheader" }, String(this.#rows.length));
    this.#body.append(element("tr", { role: "row" }, name, ...cells));
    this.#rows.push(cells);
  }
}
