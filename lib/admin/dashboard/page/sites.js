/**
 * Sites and their routes.
 *
 * @module
 */

import { arrange, element, setBreakable, setData, setShown, setText } from "./element.js";
import { formatCount, formatMs, formatShare, formatWhole } from "./format.js";
import { shareOf } from "./model.js";
import { poolLabels } from "./pool_labels.js";

/** @typedef {import("../../snapshot.ts").Flow} Flow */
/** @typedef {import("../../snapshot.ts").RouteSnapshot} RouteSnapshot */
/** @typedef {import("../../snapshot.ts").SiteSnapshot} SiteSnapshot */
/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */

const COLUMNS = /** @type {const} */ ([
  ["name", "Site, route"],
  ["to", "Goes to"],
  ["flight", "In flight"],
  ["rate", "Req / s"],
  ["errors", "Errors"],
  ["p50", "p50"],
  ["p99", "p99"],
]);
const SITES_AT_FIRST = 12;

/** The table of sites. */
export class Sites {
  #table;
  /** @type {Map<string, { body: HTMLElement, site: FlowRow, routes: FlowRow[] }>} */
  #groups = new Map();
  #more;
  #all = false;
  /** @type {Pick<Snapshot, "sites" | "pools">} */
  #shown = { sites: [], pools: [] };

  /**
   * @param {HTMLTableElement} table
   * @param {HTMLButtonElement} more
   */
  constructor(table, more) {
    this.#table = table;
    this.#more = more;
    more.addEventListener("click", () => {
      this.#all = !this.#all;
      this.update(this.#shown);
    });
    const heading = COLUMNS.map(([name, title]) =>
      element("th", { scope: "col", role: "columnheader", class: name }, title)
    );
    table.append(element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heading)));
  }

  /** @param {Pick<Snapshot, "sites" | "pools">} snapshot */
  update({ sites, pools }) {
    this.#shown = { sites, pools };
    const head = /** @type {Element} */ (this.#table.tHead);
    const poolNames = poolLabels(pools);
    const many = sites.length > SITES_AT_FIRST;
    const shown = many && !this.#all ? failingFirst(sites).slice(0, SITES_AT_FIRST) : sites;
    arrange(this.#table, [head, ...shown.map((site) => this.#updateSite(site, poolNames))]);
    setShown(this.#more, many);
    setText(this.#more, this.#all ? `Show ${SITES_AT_FIRST} only` : `Show all ${sites.length} sites`);
    this.#more.setAttribute("aria-expanded", String(this.#all));
    const known = new Set(sites.map(({ name }) => name));
    for (const name of this.#groups.keys()) if (!known.has(name)) this.#groups.delete(name);
  }

  /**
   * @param {SiteSnapshot} site
   * @param {ReadonlyMap<string, string>} poolNames
   * @returns {HTMLElement}
   */
  #updateSite(site, poolNames) {
    let group = this.#groups.get(site.name);
    if (group === undefined) {
      group = { body: element("tbody", { role: "rowgroup" }), site: new FlowRow("site"), routes: [] };
      this.#groups.set(site.name, group);
    }
    const { body, site: row, routes } = group;
    row.update(site, site.name, (site.hosts.length === 0 ? placesOf(site.addresses) : site.hosts).join(", "));
    while (routes.length < site.routes.length) routes.push(new FlowRow("route"));
    routes.length = site.routes.length;
    site.routes.forEach((route, index) =>
      routes[index].update(route, labelOf(route), targetOf(route, site, poolNames))
    );
    arrange(body, [row.element, ...routes.map((route) => route.element)]);
    return body;
  }
}

/** A row of figures. */
class FlowRow {
  #name = element("th", { scope: "row", role: "rowheader", class: "name" });
  #text = element("span");
  #detail = element("span", { class: "detail" });
  #to = element("td", { role: "cell", class: "to" });
  #figures = COLUMNS.slice(2).map(([name]) => element("td", { role: "cell", class: name }));
  #kind;
  element;

  /** @param {"site" | "route"} kind */
  constructor(kind) {
    this.#name.append(this.#text, this.#detail);
    this.element = element("tr", { role: "row", class: kind }, this.#name, ...this.#figures);
    if (kind === "site") this.#name.colSpan = 2;
    else this.#name.after(this.#to);
    this.#kind = kind;
  }

  /**
   * @param {Flow} flow
   * @param {string} name
   * @param {string} to
   */
  update(flow, name, to) {
    setBreakable(this.#text, name);
    setBreakable(this.#kind === "site" ? this.#detail : this.#to, to);
    const share = shareOf(flow);
    const texts = [formatWhole(flow.inFlight), formatCount(flow.requestRate), formatShare(share)];
    texts.push(formatMs(flow.p50Ms), formatMs(flow.p99Ms));
    this.#figures.forEach((cell, index) => setText(cell, texts[index]));
    setData(this.#figures[2], "tone", share >= 0.05 ? "bad" : share > 0 ? "warn" : "none");
  }
}

/**
 * Sites of which requests fail come first, so that none of them is hidden; the others as in the config.
 *
 * @param {readonly SiteSnapshot[]} sites
 * @returns {SiteSnapshot[]}
 */
function failingFirst(sites) {
  const fails = (/** @type {SiteSnapshot} */ site) => shareOf(site) >= 0.01;
  return [...sites.filter(fails), ...sites.filter((site) => !fails(site))];
}

/**
 * Addresses as one would open them: those that mean "all of this machine" are none.
 *
 * @param {readonly string[]} addresses
 * @returns {string[]}
 */
function placesOf(addresses) {
  return [...new Set(addresses.map((address) => address.replace(/\/\/(?:\[::\]|0\.0\.0\.0)(?=:|$)/, "//localhost")))];
}

/**
 * @param {RouteSnapshot} route
 * @returns {string}
 */
function labelOf({ path, kind, websocket }) {
  const notes = [...(kind === "prefix" ? [] : [kind]), ...(websocket ? ["WebSocket"] : [])];
  return notes.length === 0 ? path : `${path} (${notes.join(", ")})`;
}

/**
 * @param {RouteSnapshot} route
 * @param {SiteSnapshot} site
 * @param {ReadonlyMap<string, string>} poolNames
 * @returns {string}
 */
function targetOf({ poolId }, site, poolNames) {
  if (poolId !== null) return `pool ${poolNames.get(poolId) ?? poolId}`;
  return site.files ? "files" : "–";
}
