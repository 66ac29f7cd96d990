/**
 * The script of the WebSocket page. It is text, because it runs in the browser; `UPSTREAMS`, `CONTROLLED` and `COUNT` are
 * defined before it, and so is the script of its sockets.
 *
 * @module
 */

/** The script. */
export const SOCKET_PAGE_SCRIPT: string = String.raw`
"use strict";
const MOST_ENTRIES = 300;
const at = (id) => document.getElementById(id);
const MEANINGS = {
  1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1005: "no code",
  1006: "no Close frame came", 1007: "not UTF-8", 1008: "against a policy", 1009: "message too big",
  1011: "internal error", 1012: "service restarts", 1013: "try again later", 1014: "bad gateway",
};

const hueOf = (upstream) => UPSTREAMS.indexOf(upstream);
function paint(element, upstream) {
  if (hueOf(upstream) < 0) delete element.dataset.hue; else element.dataset.hue = hueOf(upstream);
}
function setText(element, text) {
  text = String(text);
  if (element.textContent !== text) element.textContent = text;
}
const plural = (count, what) => count.toLocaleString() + " " + what + (count === 1 ? "" : "s");
const codeText = (code) => code + " (" + (MEANINGS[code] ?? (code >= 4000 ? "the application's own" : code >= 3000 ? "registered" : "unknown")) + ")";

// One socket.
let unanswered = [];
const one = new LastingSocket(new Gate(1), (what, detail) => {
  if (what === "message") received(detail);
  else if (what === "open") {
    unanswered = [];
    const row = entry("●", "open", one.upstream + " answered, at " + one.greeting.target + (one.protocol === "" ? "" : ", speaks " + one.protocol), detail.toFixed(0) + " ms");
    row.append(headerDetails(one.greeting.headers));
  } else if (what === "closed") {
    const lost = unanswered.length;
    const text = detail.opened ? codeText(detail.code) + (detail.reason === "" ? "" : " “" + detail.reason + "”") : "It did not open: the route refuses, or no upstream takes it";
    entry("✕", "close", text + (lost === 0 ? "" : ", " + plural(lost, "message") + " unanswered"), detail.opened ? (detail.wasClean ? "clean" : "unclean") : "");
    lastEnd = detail.opened ? codeText(detail.code) : "did not open";
  } else if (what === "waiting") entry("…", "note", "Opens again in " + one.waitMs / 1000 + " s", "");
  showOne();
});
let lastEnd = "";

function showOne() {
  const { state, upstream } = one;
  at("hops").dataset.state = state;
  paint(at("hops"), upstream);
  setText(at("answered"), state === "open" ? upstream : state === "connecting" ? "connecting" : state === "waiting" ? "waiting" : "no upstream");
  const standing = at("standing");
  if (state === "open") setText(standing, "Connected to " + upstream + (one.protocol === "" ? "" : ", subprotocol " + one.protocol));
  else if (state === "connecting") setText(standing, "Connecting to " + one.path);
  else if (state === "waiting") setText(standing, "Ended: " + lastEnd + ". Try " + one.tries + " follows");
  else setText(standing, lastEnd === "" ? "Not connected" : "Ended: " + lastEnd);
  at("wait").hidden = state !== "waiting";
  if (state === "waiting") {
    at("wait-bar").getAnimations().forEach((animation) => animation.cancel());
    at("wait-bar").animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], { duration: one.waitMs, fill: "forwards" });
  }
  const open = state === "open";
  setText(at("connect"), state === "closed" || state === "idle" ? "Connect" : state === "open" ? "Disconnect" : "Give up");
  for (const id of ["send", "binary", "close-here", "close-there"]) at(id).disabled = !open;
  showTotals();
}

function entry(sign, kind, text, aside, upstream = one.upstream) {
  const log = at("log"), follows = log.scrollTop + log.clientHeight > log.scrollHeight - 40;
  const row = document.createElement("li");
  row.className = kind;
  paint(row, upstream);
  const now = new Date(), time = document.createElement("time");
  time.textContent = now.toTimeString().slice(0, 8);
  const parts = [["b", sign], ["span", text], ["small", aside]].map(([tag, content]) => {
    const part = document.createElement(tag);
    part.textContent = content;
    return part;
  });
  row.append(time, ...parts);
  log.append(row);
  while (log.childElementCount > MOST_ENTRIES) log.firstElementChild.remove();
  if (follows) requestAnimationFrame(() => { log.scrollTop = log.scrollHeight; });
  return row;
}

function headerDetails(headers) {
  const details = document.createElement("details"), summary = document.createElement("summary"), lines = document.createElement("pre");
  summary.textContent = plural(headers.length, "header line") + " reached it";
  lines.textContent = headers.map(([name, value]) => name + ": " + value).join("\n");
  details.append(summary, lines);
  return details;
}

function connect() {
  if (one.state === "open") return one.close(1000, "");
  if (one.state !== "closed" && one.state !== "idle") return one.end();
  const field = at("protocols"), protocols = field.value.split(",").map((name) => name.trim()).filter((name) => name !== "");
  try {
    one.keeps = at("keep").checked;
    one.open(at("route").value, protocols);
  } catch {
    one.end();
    complain(field, "Subprotocols are different words of letters, digits and -._~, with commas between");
  }
}

function send(data) {
  if (!one.send(data)) return;
  counts.messages++;
  unanswered.push({ data, sentMs: performance.now() });
  entry("→", "sent", describe(data), typeof data === "string" ? "text" : "binary");
  travel(false);
  showTotals();
}

function received(data) {
  counts.messages++;
  const sent = unanswered.shift();
  const same = sent !== undefined && sameData(sent.data, data);
  entry("←", "received", describe(data) + (typeof data === "string" ? "" : same ? ", came back unchanged" : ", NOT as it was sent"),
    sent === undefined ? "" : (performance.now() - sent.sentMs).toFixed(1) + " ms");
  travel(true);
}

const describe = (data) => typeof data === "string" ? data || "(empty)" : plural(data.byteLength, "byte");
function sameData(a, b) {
  if (typeof a === "string" || typeof b === "string") return a === b;
  const left = new Uint8Array(a), right = new Uint8Array(b);
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function travel(back) {
  const wires = [...document.querySelectorAll(".hops > i")];
  if (back) wires.reverse();
  wires.forEach((wire, index) => {
    const dot = document.createElement("i");
    if (back) dot.classList.add("back");
    if (index > 0) dot.classList.add("later");
    dot.addEventListener("animationend", () => dot.remove());
    if (wire.childElementCount < 6) wire.append(dot);
  });
}

function complain(field, text) {
  field.setCustomValidity(text);
  field.reportValidity();
  field.addEventListener("input", () => field.setCustomValidity(""), { once: true });
}

at("connection").addEventListener("submit", (event) => { event.preventDefault(); connect(); });
at("keep").addEventListener("change", () => { one.keeps = at("keep").checked; if (!one.keeps && one.state === "waiting") one.end(); });
at("now").addEventListener("click", () => one.now());
at("sending").addEventListener("submit", (event) => { event.preventDefault(); send(at("message").value); });
at("binary").addEventListener("click", () => send(crypto.getRandomValues(new Uint8Array(65536)).buffer));
at("closing").addEventListener("submit", (event) => {
  event.preventDefault();
  try {
    one.close(Number(at("code").value), at("reason").value);
  } catch (error) {
    if (error.name === "SyntaxError") complain(at("reason"), "A reason has at most 123 bytes");
    else complain(at("code"), "A page may close with 1000 or with 3000 to 4999; an upstream may use more");
  }
});
at("close-there").addEventListener("click", () => {
  if (!/^\d{4}$/.test(at("code").value)) return complain(at("code"), "Four digits");
  // The upstream responds to this message with a Close frame.
  if (one.send("close " + at("code").value + " " + at("reason").value)) entry("→", "note", "Asks " + one.upstream + " to close", "");
});

// Twenty sockets.
const gate = new Gate(4);
const many = Array.from({ length: COUNT }, (_, index) => {
  const row = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  row.append(button);
  at("dots").append(row);
  const strand = document.createElementNS("http://www.w3.org/2000/svg", "path");
  at("strands").append(strand);
  const socket = new LastingSocket(gate, (what) => {
    if (what === "message") { counts.messages++; ring(index); }
    showMany();
  });
  button.addEventListener("click", () => openOne(index));
  return { row, button, strand, socket };
});
const shares = UPSTREAMS.map((name) => {
  const item = document.createElement("li"), count = document.createElement("b"), label = document.createElement("span"), part = document.createElement("small");
  paint(item, name);
  item.dataset.upstream = name;
  count.id = "many-" + name;
  label.textContent = name;
  item.append(count, label, part);
  at("shares").append(item);
  return { item, count, part };
});

function openOne(index) { many[index].socket.open(at("route").value, []); }
function ring(index) {
  const { row, strand } = many[index];
  for (const element of [row, strand]) element.classList.add("ring");
  setTimeout(() => { for (const element of [row, strand]) element.classList.remove("ring"); }, 250);
}

let drawing = false;
function showMany() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; drawMany(); });
}

function drawMany() {
  const { clientWidth: width, clientHeight: height } = at("strands");
  const totals = UPSTREAMS.map((name) => many.filter(({ socket }) => socket.upstream === name).length);
  const all = totals.reduce((sum, count) => sum + count, 0), placed = totals.map(() => 0);
  many.forEach(({ row, button, strand, socket }, index) => {
    const hue = hueOf(socket.upstream), from = (index + .5) * height / COUNT;
    for (const element of [row, strand]) paint(element, socket.upstream);
    row.classList.toggle("waiting", socket.state === "waiting" || socket.state === "connecting");
    const label = "Socket " + (index + 1) + ": " + (socket.state === "open" ? socket.upstream : socket.state === "idle" ? "closed" : socket.state);
    if (button.ariaLabel !== label) { button.ariaLabel = label; button.title = label; }
    let bend = 3, end = 6, to = from;
    if (hue >= 0) {
      const room = height / UPSTREAMS.length, gap = Math.min(9, room * .8 / totals[hue]);
      bend = width / 2; end = width; to = (hue + .5) * room + (placed[hue]++ - (totals[hue] - 1) / 2) * gap;
    } else if (socket.state === "closed" || socket.state === "idle") end = 0;
    const path = "M0 " + from + " C" + bend + " " + from + " " + (hue < 0 ? end : bend) + " " + to + " " + end + " " + to;
    strand.setAttribute("d", path);
    strand.style.setProperty("d", 'path("' + path + '")');
    strand.style.opacity = end === 0 ? 0 : 1;
  });
  shares.forEach(({ count, part }, index) => {
    setText(count, totals[index]);
    setText(part, all === 0 ? "–" : Math.round(100 * totals[index] / all) + " %");
  });
  at("ring-all").disabled = all === 0;
  at("close-all").disabled = many.every(({ socket }) => socket.state === "closed" || socket.state === "idle");
  showTotals();
}

at("open-all").addEventListener("click", () => many.forEach((_, index) => openOne(index)));
at("close-all").addEventListener("click", () => many.forEach(({ socket }) => socket.end()));
at("ring-all").addEventListener("click", () => many.forEach(({ socket }, index) => { if (socket.send("Message of socket " + (index + 1))) counts.messages++; }));
new ResizeObserver(showMany).observe(at("strands"));

// Shared by both views.
function showTotals() {
  const sockets = [one, ...many.map(({ socket }) => socket)];
  setText(at("open"), sockets.filter(({ state }) => state === "open").length);
  setText(at("messages"), counts.messages.toLocaleString());
  setText(at("reconnects"), counts.reconnects.toLocaleString());
  // Without the demo's server, only the sockets of this page are known.
  if (!CONTROLLED) showHeld(UPSTREAMS.map((name) => sockets.filter(({ upstream }) => upstream === name).length));
}

function showHeld(held) {
  document.querySelectorAll(".upstream .held").forEach((element, index) => setText(element, held[index] === 0 ? "no sockets" : plural(held[index], "socket")));
}

let serving = [];
if (CONTROLLED) {
  const events = new EventSource("/events/sockets");
  events.onopen = () => { at("ended").hidden = true; };
  events.onerror = () => { at("ended").hidden = false; };
  events.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    serving = event.serving;
    showHeld(event.sockets);
    UPSTREAMS.forEach((name, index) => {
      const up = serving[index], button = at("toggle-" + name);
      for (const element of document.querySelectorAll("[data-upstream=" + name + "]")) element.classList.toggle("stopped", !up);
      if (button.firstChild.data !== (up ? "Stop " : "Start ")) button.firstChild.data = up ? "Stop " : "Start ";
      setText(document.querySelector(".upstream[data-upstream=" + name + "] .state"), up ? "serving" : "stopped");
    });
  };
  UPSTREAMS.forEach((name, index) => at("toggle-" + name).addEventListener("click", () => toggle(index)));
}
// Until the state of an upstream is known, its button shows Stop.
const toggle = (index) => fetch("/upstreams/" + UPSTREAMS[index] + (serving[index] === false ? "/start" : "/stop"), { method: "POST" });

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select") !== null) return;
  if (event.key === "c") connect();
  else if (event.key === "t") at("open-all").click();
  else if (event.key === "m") at("ring-all").click();
  else if (CONTROLLED && UPSTREAMS[Number(event.key) - 1] !== undefined) toggle(Number(event.key) - 1);
});
showOne();
drawMany();
`;
