/**
 * The dashboard: the feed fills the model, the model is drawn once a frame at the most.
 *
 * @module
 */

import { Announcer } from "./announcer.js";
import { Details } from "./details.js";
import { at, setData, setShown, setText } from "./element.js";
import { Failures } from "./failures.js";
import { Feed } from "./feed.js";
import { Headline } from "./headline.js";
import { wantsForce } from "./last_upstream.js";
import { Model } from "./model.js";
import { LATENCY_LINES, plotFigure, REQUEST_LINES, TimePlot } from "./plots.js";
import { Pools } from "./pools.js";
import { Ports } from "./ports.js";
import { Sites } from "./sites.js";
import { adminStateOf } from "./upstream_states.js";
import { Verdict } from "./verdict.js";
import { Workers } from "./workers.js";

/** @typedef {import("./feed.js").FeedState} FeedState */

/** @type {Readonly<Record<FeedState, string>>} */
const STATE_WORDS = { connecting: "connecting", live: "live", lost: "connection lost", locked: "locked" };

/** @type {Model | undefined} */
let model;
let drawing = false;
let lost = false;

const feed = new Feed((snapshot) => {
  // Another version of the server has another page.
  if (model !== undefined && model.snapshot.version !== snapshot.version) return location.reload();
  if (model === undefined) model = new Model(snapshot);
  else model.add(snapshot);
  schedule();
}, showState);

const announcer = new Announcer(at("announcer", HTMLElement));
const details = new Details((id, change, force) => feed.change(id, change, force));
const open = (/** @type {string} */ id) => {
  if (model !== undefined) details.open(id, model);
};
const pools = new Pools({ open, toggle });
const verdict = new Verdict(at("verdict", HTMLElement), ({ kind, upstreamId, poolId }) => {
  if (upstreamId !== null) open(upstreamId);
  else scrollTo(poolId !== null ? `pool-${poolId}` : TARGETS[kind] ?? "verdict");
});
const headline = new Headline(at("headline", HTMLElement));
const plots = at("plots", HTMLElement);
const requestPlot = new TimePlot(plotFigure(plots, "Requests a second"), REQUEST_LINES, {
  unit: "count",
  leastTop: 10,
});
const latencyPlot = new TimePlot(plotFigure(plots, "Latency, to the end of the response"), LATENCY_LINES, {
  unit: "ms",
  leastTop: 10,
});
const sites = new Sites(at("sites", HTMLTableElement), at("more-sites", HTMLButtonElement));
const failures = new Failures(
  at("failures", HTMLTableElement),
  at("no-failures", HTMLElement),
  at("more-failures", HTMLButtonElement),
);
const ports = new Ports(at("ports", HTMLTableElement));
const workers = new Workers(at("workers", HTMLTableElement), at("about", HTMLElement));

/** @type {Readonly<Record<string, string>>} */
const TARGETS = { errors: "failures-title", worker: "workers-title" };

function schedule() {
  // Pages in the background get no frames; they are drawn when they come to the front.
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (model !== undefined) draw(model);
  });
}

/** @param {Model} shown */
function draw(shown) {
  const { snapshot } = shown;
  setShown(at("page", HTMLElement), true);
  setData(document.body, "metrics", snapshot.metrics ? undefined : "off");
  setShown(at("waiting", HTMLElement), false);
  const count = verdict.update(shown);
  headline.update(shown);
  requestPlot.update(shown);
  latencyPlot.update(shown);
  pools.update(shown);
  sites.update(snapshot);
  failures.update(snapshot.failures);
  workers.update(snapshot);
  ports.update(snapshot);
  details.update(shown);
  announcer.update(snapshot);
  setText(at("file", HTMLElement), snapshot.config.file ?? "");
  showTitle(count);
}

/** @param {number} count */
function showTitle(count) {
  const title = lost ? "BWS: connection lost" : count === 0 ? "BWS" : `(${count}) BWS`;
  if (document.title !== title) document.title = title;
  const symbol = at("symbol", HTMLLinkElement);
  const href = count > 0 || lost ? "dashboard/mark-alert.svg" : "dashboard/mark.svg";
  if (symbol.getAttribute("href") !== href) symbol.setAttribute("href", href);
}

/**
 * @param {FeedState} state
 * @param {boolean} keyRefused
 */
function showState(state, keyRefused) {
  lost = state === "lost";
  setData(document.body, "feed", state);
  setText(at("feed", HTMLElement), STATE_WORDS[state]);
  setText(at("waiting-text", HTMLElement), lost ? "The server does not respond. Trying again…" : "Connecting…");
  const key = at("key", HTMLDialogElement);
  if (state === "locked") {
    setText(at("key-fault", HTMLElement), keyRefused ? "The server does not take that key." : "");
    if (!key.open) key.showModal();
    at("key-input", HTMLInputElement).select();
  }
  if (!lost) return;
  showTitle(0);
  if (model !== undefined) verdict.lose(model.snapshot.atMs);
}

/** @param {string} id */
async function toggle(id) {
  const found = model?.find(id);
  if (found === undefined) return;
  const state = adminStateOf(found.upstream.state) === "active" ? "draining" : "active";
  const refusal = await feed.change(id, { state }, false);
  if (refusal === undefined) return;
  if (!wantsForce(refusal)) return showRefusal(refusal.error);
  open(id);
  details.doubt(state);
}

/** @param {string} refusal */
function showRefusal(refusal) {
  const place = at("refusal", HTMLElement);
  setText(place, refusal);
  setShown(place, true);
  setTimeout(() => setShown(place, false), 8000);
}

/** @param {string} id */
function scrollTo(id) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById(id)?.scrollIntoView({ behavior: still ? "instant" : "smooth", block: "start" });
}

at("key", HTMLDialogElement).addEventListener("cancel", (event) => event.preventDefault());
at("key-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  at("key", HTMLDialogElement).close();
  feed.useKey(at("key-input", HTMLInputElement).value);
});
feed.run();
