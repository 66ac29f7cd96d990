/**
 * The page for WebSockets through a proxy, without external files. The demo serves it beside its main page;
 * `tests/test_websocket_proxy.sh` serves it with other routes and upstreams.
 *
 * @module
 */

import { VERSION } from "../version.ts";
import { LASTING_SOCKET_SCRIPT } from "./lasting_socket_script.ts";
import { mark, markIcon } from "./mark.ts";
import { PAGE_STYLE } from "./page_style.ts";
import { SUBPROTOCOLS } from "./sample_sockets.ts";
import { SAMPLES, SHOWN } from "./demo_config.ts";
import { SOCKET_PAGE_SCRIPT } from "./socket_page_script.ts";
import { SOCKET_PAGE_STYLE } from "./socket_page_style.ts";

/** What a page connects to. */
export interface SocketPageOptions {
  /** Name after the version in the page's header. */
  readonly name: string;
  /** Routes with `websocket = true`: their paths and titles. */
  readonly routes: readonly { readonly path: string; readonly title: string }[];
  /** Names of the upstreams, three at the most: each has a colour. */
  readonly upstreams: readonly string[];
  /** Whether the page has the demo's server behind it, with its other page, its events and its switches. */
  readonly controlled: boolean;
  /** Address of the dashboard, where there is one. */
  readonly dashboardUrl?: string;
}

/** The demo's page as HTML. */
export function demoSocketPage(dashboardUrl: string): string {
  return socketPage({
    dashboardUrl,
    name: "demo",
    routes: SHOWN,
    upstreams: SAMPLES.map(({ name }) => name),
    controlled: true,
  });
}

/** A page as HTML. The options are trusted text and are not escaped. */
export function socketPage({ name, routes, upstreams, controlled, dashboardUrl }: SocketPageOptions): string {
  const dashboard = dashboardUrl === undefined ? "" : `<a href="${dashboardUrl}">Dashboard</a>`;
  const constants = { UPSTREAMS: upstreams, CONTROLLED: controlled, COUNT };
  const definitions = Object.entries(constants).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>BWS ${name}: WebSockets, live</title>
<link rel="icon" href="${markIcon()}">
<style>${PAGE_STYLE}${SOCKET_PAGE_STYLE}</style>
<header>
  <h1>${mark("currentColor")}<span>BWS</span> <small>${VERSION} ${name}</small></h1>
  ${
    controlled
      ? `<nav><a href="/">Requests</a><a href="/sockets" aria-current="page">WebSockets</a>${dashboard}</nav>`
      : ""
  }
  <p class="totals">
    <span><b id="open">0</b> open</span>
    <span><b id="messages">0</b> messages</span>
    <span><b id="reconnects">0</b> reconnects</span>
  </p>
</header>
<p id="ended" role="status" hidden>The ${name} has ended. Start it again with <code>bws demo</code>; this page will notice.</p>
<main>
  <section class="deck deck-${upstreams.length}" aria-label="Controls">
    ${upstreams.map((upstream, index) => upstreamCard(upstream, index, controlled)).join("\n    ")}
    <label class="card route"><span>Route of new sockets</span>
      <select id="route">${
    routes.map(({ path, title }) => `<option value="${path}">${title} · ${path}`).join("")
  }</select>
    </label>
  </section>
  <div class="views">
  ${ONE}
  ${MANY}
  </div>
</main>
<footer>
  <p>Every upstream says its name when a socket opens, and sends back what it gets. A socket that ends without being
  asked to is opened again, after 0.25 s and then twice as long each time, up to 8 s.</p>
  <p class="keys">Keys: ${
    controlled ? "<kbd>1</kbd> <kbd>2</kbd> <kbd>3</kbd> stop and start an upstream, " : ""
  }<kbd>c</kbd>
  connect or disconnect, <kbd>t</kbd> open twenty, <kbd>m</kbd> a message on each</p>
</footer>
<script>${LASTING_SOCKET_SCRIPT}</script>
<script>const ${definitions.join(", ")};
${SOCKET_PAGE_SCRIPT}</script>
</html>
`;
}

/** Sockets of the second view. */
const COUNT = 20;

const ONE = `<section class="panel one" aria-labelledby="one-title">
    <div class="caption"><h2 id="one-title">One socket</h2><p>The upstream, the messages, and the close code.</p></div>
    <form id="connection" class="bar">
      <label class="grow"><span>Subprotocols to offer</span>
        <input id="protocols" list="known" placeholder="none" autocomplete="off" autocapitalize="off" spellcheck="false"></label>
      <datalist id="known">${SUBPROTOCOLS.map((name) => `<option value="${name}">`).join("")}
        <option value="${SUBPROTOCOLS.join(", ")}"></datalist>
      <label class="check"><input type="checkbox" id="keep" checked> Reconnect</label>
      <button id="connect" class="main" aria-keyshortcuts="c">Connect</button>
    </form>
    <div class="hops" id="hops" data-state="closed" aria-hidden="true">
      <span>This page</span><i></i><span>BWS</span><i></i><b id="answered">no upstream</b>
    </div>
    <p class="standing"><span id="standing" role="status">Not connected</span>
      <span id="wait" hidden><i><i id="wait-bar"></i></i><button type="button" id="now">Now</button></span></p>
    <ol class="log" id="log" role="log" tabindex="0" aria-label="What happened"></ol>
    <form id="sending" class="bar"><label class="grow"><span>Message</span><input id="message" value="Hello" autocomplete="off"></label>
      <button id="send" class="main">Send</button><button type="button" id="binary">Send 64 KiB binary</button></form>
    <form id="closing" class="bar"><label class="code"><span>Code</span><input id="code" value="4000" inputmode="numeric" maxlength="4"></label>
      <label class="grow"><span>Reason</span><input id="reason" value="Enough" autocomplete="off"></label>
      <button id="close-here">Close here</button><button type="button" id="close-there">Upstream closes</button></form>
  </section>`;

const MANY = `<section class="panel many" aria-labelledby="many-title">
    <div class="caption"><h2 id="many-title">Twenty sockets</h2><p>How they spread over the upstreams.</p></div>
    <div class="bar"><button type="button" id="open-all" class="main" aria-keyshortcuts="t">Open twenty</button>
      <button type="button" id="ring-all" aria-keyshortcuts="m">Message on each</button><button type="button" id="close-all">Close all</button></div>
    <div class="spread"><ol id="dots"></ol><svg id="strands" aria-hidden="true"></svg><ul id="shares"></ul></div>
    <p class="hint">Press a dot to open that socket anew.</p>
  </section>`;

function upstreamCard(name: string, index: number, controlled: boolean): string {
  return `<div class="card upstream" data-upstream="${name}" data-hue="${index}">
      <i class="lamp" aria-hidden="true"></i>
      <div><h2>${name}</h2><p class="held">no sockets</p></div>
      ${
    controlled
      ? `<p class="state" role="status">serving</p>
      <button type="button" id="toggle-${name}" aria-keyshortcuts="${index + 1}">Stop <span>${name}</span></button>`
      : ""
  }
    </div>`;
}
