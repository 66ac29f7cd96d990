/**
 * One upstream in full, with what an operator can change of it. A dialog at the side, on phones from below.
 *
 * @module
 */

import { CONDITIONS, isLast, shortUrl, timeLeft } from "./condition.js";
import { at, element, icon, setData, setIcon, setShown, setText } from "./element.js";
import { formatLeft, formatMs, formatShare, formatWhole, NONE } from "./format.js";
import { shareOf } from "./model.js";
import { TimePlot } from "./plots.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */
/** @typedef {import("../../snapshot.ts").UpstreamMode} UpstreamMode */
/** @typedef {import("../../snapshot.ts").UpstreamChange} UpstreamChange */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */

/** Sends a change; gives why it was not done. @typedef {(id: string, change: UpstreamChange) => Promise<string | undefined>} Change */

/** @type {readonly (readonly [string, (upstream: UpstreamSnapshot, pool: PoolSnapshot) => string])[]} */
const FACTS = [
  ["Pool", (_, { name, site }) => `${name}, site ${site}`],
  ["Probes", ({ health }) => health],
  ["Breaker", ({ breaker, breakerRetryMs }) => breaker.replace("_", "-") + left(breakerRetryMs, ", tries again in ")],
  ["Ejected", ({ ejectedForMs }) => ejectedForMs === null ? "no" : left(ejectedForMs, "for ")],
  ["Slow start", ({ slowStartMs }) => slowStartMs === null ? "no" : left(slowStartMs, "whole share in ")],
  [
    "In flight",
    ({ inFlight, maxConnections }) => maxConnections === 0 ? formatWhole(inFlight) : `${inFlight} of ${maxConnections}`,
  ],
  ["Idle connections", ({ idleConnections }) => formatWhole(idleConnections)],
  ["Errors", (upstream) => formatShare(shareOf(upstream))],
  ["p50, p95, p99", ({ p50Ms, p95Ms, p99Ms }) => [p50Ms, p95Ms, p99Ms].map(formatMs).join(", ")],
  ["Last fault", ({ lastFault }) => lastFault ?? NONE],
];

/** Those of them that come out of figures, which may not be kept. */
const COUNTED = new Set(["Errors", "p50, p95, p99"]);

/** The dialog. */
export class Details {
  #dialog = at("details", HTMLDialogElement);
  #icon = icon("healthy");
  #word = element("span");
  #left = element("span", { class: "left" });
  #facts = FACTS.map(([name, read]) => ({ name: element("dt", {}, name), value: element("dd"), read }));
  #modes = /** @type {const} */ (["active", "draining", "maintenance"]).map((mode) => ({
    mode,
    button: at(`mode-${mode}`, HTMLButtonElement),
  }));
  #weight = at("weight", HTMLInputElement);
  #outcome = at("details-outcome", HTMLElement);
  /** The mode that was asked for once and has to be asked for again. @type {UpstreamMode | undefined} */
  #doubted;
  /** @type {TimePlot | undefined} */
  #plot;
  #id = "";
  /** @type {Model | undefined} */
  #model;
  #change;

  /** @param {Change} change */
  constructor(change) {
    this.#change = change;
    const condition = at("details-condition", HTMLElement);
    condition.append(element("span", { class: "condition" }, this.#icon, this.#word, this.#left));
    at("details-facts", HTMLElement).append(...this.#facts.map(({ name, value }) => element("div", {}, name, value)));
    for (const { mode, button } of this.#modes) button.addEventListener("click", () => this.#ask(mode));
    at("weight-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#setWeight(this.#weight.valueAsNumber);
    });
    at("weight-reset", HTMLButtonElement).addEventListener("click", () => {
      const { upstream } = this.#model?.find(this.#id) ?? {};
      if (upstream !== undefined) this.#setWeight(upstream.configWeight);
    });
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => this.#plot?.remove());
  }

  /**
   * Shows an upstream.
   *
   * @param {string} id
   * @param {Model} model
   */
  open(id, model) {
    const found = model.find(id);
    if (found === undefined) return;
    this.#id = id;
    this.#say("", "note");
    this.#doubted = undefined;
    setText(at("details-title", HTMLElement), shortUrl(found.upstream.url));
    this.#weight.value = String(found.upstream.weight);
    if (!this.#dialog.open) this.#dialog.showModal();
    const place = at("details-plot", HTMLElement);
    place.replaceChildren();
    this.#plot = new TimePlot(place, [
      { name: "requests", color: "--accent", filled: true, values: (model) => model.track(id).requestRate },
      { name: "failed", color: "--bad", filled: true, values: (model) => model.track(id).errorRate },
    ], { unit: "count", leastTop: 1, height: 130 });
    this.update(model);
  }

  /** @param {Model} model */
  update(model) {
    this.#model = model;
    if (!this.#dialog.open) return;
    const found = model.find(this.#id);
    if (found === undefined) {
      this.#say("The config has this upstream no more.", "warn");
      return;
    }
    const { upstream, pool } = found;
    const { word, meaning, tone } = CONDITIONS[upstream.condition];
    setData(this.#dialog, "tone", tone);
    setData(this.#dialog, "condition", upstream.condition);
    setIcon(this.#icon, upstream.condition);
    setText(this.#word, word);
    setText(this.#left, timeLeft(upstream));
    setText(at("details-meaning", HTMLElement), meaning);
    const { figures } = model.snapshot;
    for (const { name, value, read } of this.#facts) {
      setText(value, figures || !COUNTED.has(name.textContent ?? "") ? read(upstream, pool) : NONE);
    }
    for (const { mode, button } of this.#modes) button.setAttribute("aria-pressed", String(mode === upstream.mode));
    const reset = at("weight-reset", HTMLButtonElement);
    setShown(reset, upstream.weight !== upstream.configWeight);
    setText(reset, `Back to ${upstream.configWeight}`);
    this.#plot?.update(model);
  }

  /** @param {UpstreamMode} mode */
  async #ask(mode) {
    const found = this.#model?.find(this.#id);
    if (found === undefined || found.upstream.mode === mode) return;
    if (mode !== "active" && this.#doubted !== mode && isLast(found.pool, found.upstream)) {
      this.#doubted = mode;
      this.#say(
        `It is the last upstream of pool ${found.pool.name} that takes requests. Press again to go on.`,
        "warn",
      );
      return;
    }
    this.#doubted = undefined;
    await this.#send({ state: mode }, MODE_SENTENCES[mode]);
  }

  /** @param {number} weight */
  async #setWeight(weight) {
    if (!Number.isInteger(weight) || weight < 1 || weight > 65535) {
      this.#say("A weight is a whole number from 1 to 65535.", "bad");
      return;
    }
    this.#weight.value = String(weight);
    await this.#send({ weight }, `Its weight is ${weight} now.`);
  }

  /**
   * @param {UpstreamChange} change
   * @param {string} sentence
   */
  async #send(change, sentence) {
    const id = this.#id;
    this.#say("", "note");
    const refusal = await this.#change(id, change);
    if (id === this.#id) this.#say(refusal ?? sentence, refusal === undefined ? "good" : "bad");
  }

  /**
   * @param {string} text
   * @param {import("./condition.js").Tone} tone
   */
  #say(text, tone) {
    setText(this.#outcome, text);
    setData(this.#outcome, "tone", tone);
  }
}

/** @type {Readonly<Record<UpstreamMode, string>>} */
const MODE_SENTENCES = {
  active: "It takes requests again.",
  draining: "It drains: no new requests, and those in flight end.",
  maintenance: "It is out for maintenance.",
};

/**
 * @param {number | null} ms
 * @param {string} before
 * @returns {string}
 */
function left(ms, before) {
  return ms === null ? "" : before + formatLeft(ms);
}
