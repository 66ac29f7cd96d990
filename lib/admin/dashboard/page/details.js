/**
 * One upstream in full, with what an operator can change of it. A dialog at the side, on phones from below.
 *
 * @module
 */

import { at, element, icon, setData, setIcon, setShown, setText } from "./element.js";
import { formatLeft, formatMs, formatShare, formatWhole, NONE } from "./format.js";
import { questionOf, wantsForce } from "./last_upstream.js";
import { shareOf } from "./model.js";
import { TimePlot } from "./plots.js";
import { adminStateOf, probesOf, shortUrl, STATES, timeLeft, wordOf } from "./upstream_states.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */
/** @typedef {import("../../snapshot.ts").AdminState} AdminState */
/** @typedef {import("../../snapshot.ts").UpstreamChange} UpstreamChange */
/** @typedef {import("../../snapshot.ts").UpstreamSnapshot} UpstreamSnapshot */
/** @typedef {import("../../snapshot.ts").Refusal} Refusal */

/** Sends a change; gives why it was not done. @typedef {(id: string, change: UpstreamChange, force: boolean) => Promise<Refusal | undefined>} Change */

/** @type {readonly (readonly [string, (upstream: UpstreamSnapshot, pool: PoolSnapshot) => string])[]} */
const FACTS = [
  ["Pool", ({ backup }, { name, site }) => `${name}, site ${site}${backup ? ", as a backup" : ""}`],
  ["Probes", probesOf],
  ["Breaker", ({ breaker, breakerRetryMs }) => breaker.replace("_", "-") + left(breakerRetryMs, ", tries again in ")],
  ["Ejected", ({ ejectedForMs }) => ejectedForMs === null ? "no" : left(ejectedForMs, "for ")],
  ["Slow start", ({ slowStartMs }) => slowStartMs === null ? "no" : left(slowStartMs, "whole share in ")],
  [
    "In flight",
    ({ inFlight, maxConnections }) => maxConnections === 0 ? formatWhole(inFlight) : `${inFlight} of ${maxConnections}`,
  ],
  ["Idle connections", ({ idleConnections }) => formatWhole(idleConnections)],
  ["Failed attempts", (upstream) => formatShare(shareOf(upstream))],
  ["p50, p95, p99 to the head", ({ p50Ms, p95Ms, p99Ms }) => [p50Ms, p95Ms, p99Ms].map(formatMs).join(", ")],
  ["Last failure", ({ lastFailure }) => lastFailure ?? NONE],
];

/** Those of them that come out of metrics, which may be off. */
const COUNTED = new Set(["Failed attempts", "p50, p95, p99 to the head"]);

/** The dialog. */
export class Details {
  #dialog = at("details", HTMLDialogElement);
  #icon = icon("active");
  #word = element("span");
  #left = element("span", { class: "left" });
  #facts = FACTS.map(([name, read]) => ({ name: element("dt", {}, name), value: element("dd"), read }));
  #states = /** @type {const} */ (["active", "draining", "maintenance"]).map((state) => ({
    state,
    button: at(`set-${state}`, HTMLButtonElement),
  }));
  #weight = at("weight", HTMLInputElement);
  #outcome = at("details-outcome", HTMLElement);
  /** The state that was asked for once and has to be asked for again. @type {AdminState | undefined} */
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
    at("details-state", HTMLElement).append(element("span", { class: "word" }, this.#icon, this.#word, this.#left));
    at("details-facts", HTMLElement).append(...this.#facts.map(({ name, value }) => element("div", {}, name, value)));
    for (const { state, button } of this.#states) button.addEventListener("click", () => this.#ask(state));
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
      { name: "attempts", color: "--accent", filled: true, values: (model) => model.track(id).requestRate },
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
    const { state } = upstream;
    const { meaning, tone } = STATES[state];
    setData(this.#dialog, "tone", tone);
    setData(this.#dialog, "state", state);
    setIcon(this.#icon, state);
    setText(this.#word, wordOf(state));
    setText(this.#left, timeLeft(upstream));
    setText(at("details-meaning", HTMLElement), meaning);
    const { metrics } = model.snapshot;
    for (const { name, value, read } of this.#facts) {
      setText(value, metrics || !COUNTED.has(name.textContent ?? "") ? read(upstream, pool) : NONE);
    }
    const set = adminStateOf(state);
    for (const { state, button } of this.#states) button.setAttribute("aria-pressed", String(state === set));
    const reset = at("weight-reset", HTMLButtonElement);
    setShown(reset, upstream.weight !== upstream.configWeight);
    setText(reset, `Back to ${upstream.configWeight}`);
    this.#plot?.update(model);
  }

  /**
   * Asks for confirmation of a state: choosing it again confirms it.
   *
   * @param {AdminState} state
   */
  doubt(state) {
    const found = this.#model?.find(this.#id);
    if (found === undefined) return;
    this.#doubted = state;
    this.#say(questionOf(found.pool), "warn");
  }

  /** @param {AdminState} state */
  async #ask(state) {
    const found = this.#model?.find(this.#id);
    if (found === undefined || adminStateOf(found.upstream.state) === state) return;
    const force = this.#doubted === state;
    this.#doubted = undefined;
    await this.#send({ state }, SENTENCES[state], force);
  }

  /** @param {number} weight */
  async #setWeight(weight) {
    if (!Number.isInteger(weight) || weight < 1 || weight > 65535) {
      this.#say("A weight is a whole number from 1 to 65535.", "bad");
      return;
    }
    this.#weight.value = String(weight);
    await this.#send({ weight }, `Its weight is ${weight} now.`, false);
  }

  /**
   * @param {UpstreamChange} change
   * @param {string} sentence
   * @param {boolean} force
   */
  async #send(change, sentence, force) {
    const id = this.#id;
    this.#say("", "note");
    const refusal = await this.#change(id, change, force);
    if (id !== this.#id) return;
    if (refusal === undefined) this.#say(sentence, "good");
    else if (wantsForce(refusal) && change.state !== undefined) this.doubt(change.state);
    else this.#say(refusal.error, "bad");
  }

  /**
   * @param {string} text
   * @param {import("./upstream_states.js").Tone} tone
   */
  #say(text, tone) {
    setText(this.#outcome, text);
    setData(this.#outcome, "tone", tone);
  }
}

/** @type {Readonly<Record<AdminState, string>>} */
const SENTENCES = {
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
