/**
 * The script of the demo's main page. It is text, because it runs in the browser; `SAMPLES`, `SHOWN` and `RATES` are defined
 * before it.
 *
 * @module
 */

/** The script. */
export const PAGE_SCRIPT: string = String.raw`
"use strict";
const SHARE_MS = 10000;
// Bars are drawn with a delay, so that a request that is still in flight is known when its bar begins.
const DELAY_MS = 550, ROWS = 6, BAR_PX = 4, GAP_PX = 2;
const at = (id) => document.getElementById(id);
const lanes = SHOWN.map(({ method }) => SAMPLES.map(({ name }) => {
  const row = at(method + "-" + name);
  return {
    row, canvas: row.querySelector("canvas"), bars: [], recent: [], rowEnds: new Array(ROWS).fill(0), responses: 0,
    share: row.querySelector(".share b"), shareBar: row.querySelector(".share i i"),
    count: row.querySelector(".count"), median: row.querySelector(".median"), flight: row.querySelector(".flight"),
  };
}));
const still = matchMedia("(prefers-reduced-motion: reduce)");
let offsetMs = Infinity, total = 0, errors = 0, rate = 0, serving = [], speeds = [];

const events = new EventSource("/events");
events.onopen = () => { at("ended").hidden = true; offsetMs = Infinity; };
events.onerror = () => { at("ended").hidden = false; };
events.onmessage = ({ data }) => {
  const event = JSON.parse(data);
  // The smallest observed delay is the closest to the true offset of the clocks.
  offsetMs = Math.min(offsetMs, performance.now() - event.nowMs);
  for (const entry of event.entries) take(entry);
  showControls(event);
  event.inFlight.forEach((row, policy) => row.forEach((count, upstream) => { setText(lanes[policy][upstream].flight, count); }));
};

function take([policy, upstream, status, elapsedMs, endMs, foreign]) {
  total++;
  speeds.push(endMs + offsetMs);
  if (status !== 200) errors++;
  const lane = lanes[policy]?.[upstream];
  if (lane === undefined) return;
  lane.responses++;
  const end = endMs + offsetMs, start = end - elapsedMs;
  let row = lane.rowEnds.findIndex((busyUntil) => busyUntil <= start);
  if (row < 0) row = lane.responses % ROWS;
  lane.rowEnds[row] = end + 8;
  lane.bars.push({ start, end, row, foreign: foreign === 1, failed: status !== 200 });
  lane.recent.push({ end, elapsedMs });
}

function showControls(event) {
  serving = event.serving;
  SAMPLES.forEach(({ name }, index) => {
    const up = serving[index];
    for (const element of document.querySelectorAll("[data-upstream=" + name + "]")) element.classList.toggle("stopped", !up);
    const button = at("toggle-" + name);
    if (button.firstChild.data !== (up ? "Stop " : "Start ")) button.firstChild.data = up ? "Stop " : "Start ";
    setText(document.querySelector(".upstream[data-upstream=" + name + "] .state"), up ? "serving" : "stopped");
  });
  if (rate !== event.rate || document.querySelector("input[name=rate]:checked") === null) {
    rate = event.rate;
    for (const input of document.querySelectorAll("input[name=rate]")) input.checked = Number(input.value) === rate;
  }
}

function showNumbers() {
  const now = performance.now();
  speeds = speeds.filter((end) => end > now - 3000);
  setText(at("total"), total.toLocaleString());
  setText(at("speed"), Math.round(speeds.length / 3));
  setText(at("errors"), errors);
  at("errorsBox").classList.toggle("bad", errors > 0);
  for (const group of lanes) {
    for (const lane of group) lane.recent = lane.recent.filter(({ end }) => end > now - SHARE_MS);
    const sum = group.reduce((all, lane) => all + lane.recent.length, 0);
    for (const lane of group) {
      const share = sum === 0 ? 0 : 100 * lane.recent.length / sum;
      setText(lane.share, sum === 0 ? "–" : share.toFixed(0) + " %");
      lane.shareBar.style.width = share + "%";
      setText(lane.count, lane.responses.toLocaleString());
      const times = lane.recent.map(({ elapsedMs }) => elapsedMs).sort((a, b) => a - b);
      setText(lane.median, times.length === 0 ? "–" : times[times.length >> 1].toFixed(0));
      lane.median.dataset.unit = times.length === 0 ? "" : " ms";
    }
  }
}

// Narrow screens show less time, at the same speed.
const windowOf = (width) => Math.min(6000, Math.max(2000, width * 12));

function draw() {
  const view = performance.now() - DELAY_MS;
  for (const lane of lanes.flat()) {
    const { canvas } = lane, scale = devicePixelRatio, width = canvas.clientWidth, height = canvas.clientHeight;
    const windowMs = windowOf(width);
    if (canvas.width !== Math.round(width * scale)) { canvas.width = Math.round(width * scale); canvas.height = Math.round(height * scale); }
    const context = canvas.getContext("2d"), style = getComputedStyle(lane.row);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.fillStyle = style.getPropertyValue("color");
    context.globalAlpha = .09;
    for (let second = Math.ceil((view - windowMs) / 1000); second * 1000 < view; second++) {
      context.fillRect(Math.round(width - (view - second * 1000) / windowMs * width), 0, 1, height);
    }
    lane.bars = lane.bars.filter(({ end }) => end > view - windowMs - 500);
    const hue = hueOf(lane);
    const top = (height - ROWS * (BAR_PX + GAP_PX) + GAP_PX) / 2;
    for (const bar of lane.bars) {
      const x = width - (view - bar.start) / windowMs * width;
      if (x > width) continue;
      const length = Math.max(BAR_PX, (Math.min(bar.end, view) - bar.start) / windowMs * width);
      const y = top + bar.row * (BAR_PX + GAP_PX);
      // Older bars fade.
      context.globalAlpha = bar.foreign ? 1 : Math.max(.25, 1 - (view - bar.end) / windowMs * .75);
      context.fillStyle = hue;
      context.beginPath();
      context.roundRect(x, y, length, BAR_PX, BAR_PX / 2);
      context.fill();
      if (!bar.foreign) continue;
      context.strokeStyle = style.getPropertyValue("color");
      context.lineWidth = 1.5;
      context.beginPath();
      context.roundRect(x - 5, 3, length + 10, height - 6, 8);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

// Canvases do not know light-dark(): the browser resolves it on the lane's share bar.
function hueOf(lane) {
  return getComputedStyle(lane.shareBar).backgroundColor;
}

function setText(element, text) {
  text = String(text);
  if (element.textContent !== text) element.textContent = text;
}

const pull = (lever) => fetch("/" + lever, { method: "POST" });
const toggle = (index) => pull("upstreams/" + SAMPLES[index].name + (serving[index] === false ? "/start" : "/stop"));
SAMPLES.forEach(({ name }, index) => at("toggle-" + name).addEventListener("click", () => toggle(index)));
for (const input of document.querySelectorAll("input[name=rate]")) {
  input.addEventListener("change", () => { rate = Number(input.value); pull("rate/" + rate); });
}
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = event.key === "+" || event.key === "=" ? 1 : event.key === "-" ? -1 : 0;
  const next = RATES[RATES.indexOf(rate) + step];
  if (step !== 0 && next !== undefined) pull("rate/" + next);
  if (SAMPLES[Number(event.key) - 1] !== undefined) toggle(Number(event.key) - 1);
});
at("curl").textContent = "curl " + location.origin + SHOWN[0].path;
setInterval(() => { showNumbers(); if (still.matches) draw(); }, 500);
function frame() { if (!still.matches) draw(); requestAnimationFrame(frame); }
frame();
`;
