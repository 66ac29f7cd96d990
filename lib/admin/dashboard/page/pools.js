/**
 * All pools, with the filter and the order of their tables.
 *
 * @module
 */

import { arrange, at, setShown } from "./element.js";
import { ORDERS, PoolSection } from "./pool_section.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./upstream_row.js").RowActions} RowActions */

/** The pools' part of the page. */
export class Pools {
  #place = at("pools", HTMLElement);
  #filter = at("filter", HTMLInputElement);
  #order = at("order", HTMLSelectElement);
  /** @type {Map<string, PoolSection>} */
  #sections = new Map();
  /** @type {Model | undefined} */
  #model;
  #actions;

  /** @param {RowActions} actions */
  constructor(actions) {
    this.#actions = actions;
    const refresh = () => this.#refresh();
    this.#filter.addEventListener("input", refresh);
    this.#order.addEventListener("change", refresh);
    addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      this.#filter.focus();
    });
  }

  /** @param {Model} model */
  update(model) {
    this.#model = model;
    const view = {
      filter: this.#filter.value.trim().toLowerCase(),
      order: ORDERS.find((name) => name === this.#order.value) ?? "worst",
    };
    const { pools } = model.snapshot;
    setShown(at("upstreams", HTMLElement), pools.length > 0);
    const elements = pools.map((pool) => {
      const section = this.#section(pool.id);
      section.update(pool, model, view);
      return section.element;
    });
    arrange(this.#place, elements);
    const known = new Set(pools.map(({ id }) => id));
    for (const [id, section] of this.#sections) {
      if (known.has(id)) continue;
      section.remove();
      this.#sections.delete(id);
    }
  }

  #refresh() {
    if (this.#model !== undefined) this.update(this.#model);
  }

  /**
   * @param {string} id
   * @returns {PoolSection}
   */
  #section(id) {
    let section = this.#sections.get(id);
    if (section === undefined) {
      section = new PoolSection(id, this.#actions, () => this.#refresh());
      this.#sections.set(id, section);
    }
    return section;
  }
}
