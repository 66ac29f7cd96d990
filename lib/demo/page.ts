/**
 * The demo's main page, without external files.
 *
 * @module
 */

import { VERSION } from "../version.ts";
import { mark, markIcon } from "./mark.ts";
import { PAGE_SCRIPT } from "./page_script.ts";
import { PAGE_STYLE } from "./page_style.ts";
import { SAMPLES, SHOWN, type ShownPolicy } from "./demo_config.ts";
import { RATES } from "./traffic.ts";

/** The page as HTML. */
export function page(dashboardUrl: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>BWS demo: load balancing, live</title>
<link rel="icon" href="${markIcon()}">
<style>${PAGE_STYLE}</style>
<header>
  <h1>${mark("currentColor")}<span>BWS</span> <small>${VERSION} demo</small></h1>
  <nav><a href="/" aria-current="page">Requests</a><a href="/sockets">WebSockets</a><a href="${dashboardUrl}">Dashboard</a></nav>
  <p class="totals" id="totals">
    <span><b id="total">0</b> responses</span>
    <span><b id="speed">0</b> a second</span>
    <span id="errorsBox"><b id="errors">0</b> errors</span>
  </p>
</header>
<p id="ended" role="status" hidden>The demo has ended. Start it again with <code>bws demo</code>; this page will notice.</p>
<main>
  <section class="deck" aria-label="Controls">
    ${SAMPLES.map(upstreamCard).join("\n    ")}
    <fieldset class="card rates">
      <legend>Requests a second, for each policy</legend>
      <div class="segments">
        ${RATES.map(rateChoice).join("\n        ")}
      </div>
    </fieldset>
  </section>
  ${SHOWN.map(policyPanel).join("\n  ")}
</main>
<footer>
  <p>Each bar is one request, as long as it took; bars that lie above each other were in flight together.
  The proxy goes around an upstream that is stopped, and no request fails.</p>
  <p>Your own requests pass by as rings: <code id="curl"></code></p>
  <p class="keys">Keys: <kbd>1</kbd> <kbd>2</kbd> <kbd>3</kbd> stop and start an upstream, <kbd>+</kbd> <kbd>−</kbd> change the rate</p>
</footer>
<script>const SAMPLES = ${JSON.stringify(SAMPLES)}, SHOWN = ${JSON.stringify(SHOWN)}, RATES = ${JSON.stringify(RATES)};
${PAGE_SCRIPT}</script>
</html>
`;
}

function upstreamCard({ name, weight, latencyMs }: typeof SAMPLES[number], index: number): string {
  return `<div class="card upstream" data-upstream="${name}">
      <i class="lamp" aria-hidden="true"></i>
      <div><h2>${name}</h2><p>~${latencyMs} ms, weight ${weight}</p></div>
      <p class="state" role="status">serving</p>
      <button type="button" id="toggle-${name}" aria-keyshortcuts="${index + 1}">Stop <span>${name}</span></button>
    </div>`;
}

function rateChoice(rate: number): string {
  return `<label><input type="radio" name="rate" value="${rate}"><span>${rate === 0 ? "Pause" : rate}</span></label>`;
}

function policyPanel({ path, method, title, meaning }: ShownPolicy): string {
  return `<section class="panel" aria-labelledby="title-${method}">
    <div class="caption"><h2 id="title-${method}">${title}</h2><p>${meaning}</p><a href="${path}"><code>${path}</code></a></div>
    <table>
      <thead><tr><th scope="col">Upstream</th><th scope="col" class="time">Timeline</th>
        <th scope="col">Share<small> of 10 s</small></th><th scope="col">Responses</th><th scope="col" class="wide">Median</th>
        <th scope="col">In flight</th></tr></thead>
      <tbody>
        ${SAMPLES.map(({ name }) => lane(method, name)).join("\n        ")}
      </tbody>
    </table>
  </section>`;
}

function lane(method: string, name: string): string {
  return `<tr data-upstream="${name}" id="${method}-${name}"><th scope="row">${name}</th>` +
    `<td class="time"><canvas aria-hidden="true"></canvas></td><td class="share"><b>–</b><i><i></i></i></td>` +
    `<td class="count">0</td><td class="median wide">–</td><td class="flight">0</td></tr>`;
}
