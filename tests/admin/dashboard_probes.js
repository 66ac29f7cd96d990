/**
 * What tests look at inside the page; these functions run there.
 *
 * @module
 */

/** Waits until what was changed is drawn. @returns {Promise<number>} */
export function drawn() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** Waits until nothing moves. @returns {Promise<unknown>} */
export function settled() {
  return Promise.all(document.getAnimations().map((animation) => animation.finished));
}

/** What has the focus. @returns {{ id: string, text: string, outline: string }} */
export function focused() {
  const element = document.activeElement ?? document.body;
  return { id: element.id, text: element.textContent ?? "", outline: getComputedStyle(element).outlineStyle };
}

/** Width of the page, in pixels. @returns {number} */
export function pageWidth() {
  return document.documentElement.scrollWidth;
}

/**
 * The lines that a text is broken into.
 *
 * @param {Element} element
 * @returns {string[]}
 */
export function linePieces(element) {
  const range = document.createRange();
  /** @type {{ top: number, text: string }[]} */
  const lines = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent ?? "";
    for (let index = 0; index < text.length; index++) {
      range.setStart(node, index);
      range.setEnd(node, index + 1);
      const { top } = range.getBoundingClientRect();
      const last = lines.at(-1);
      if (last !== undefined && Math.abs(last.top - top) < 4) last.text += text[index];
      else lines.push({ top, text: text[index] });
    }
  }
  return lines.map(({ text }) => text);
}

/**
 * Cells whose text does not fit in, by what they hold.
 *
 * @param {string} selector
 * @returns {string[]}
 */
export function cutCells(selector) {
  const range = document.createRange();
  return [...document.querySelectorAll(selector)].filter((cell) => {
    // Not `scrollWidth`: the padding takes up some of what is too wide, and yet it is cut.
    const { paddingLeft, paddingRight } = getComputedStyle(cell);
    range.selectNodeContents(cell);
    const room = cell.getBoundingClientRect().width - parseFloat(paddingLeft) - parseFloat(paddingRight);
    return cell.checkVisibility() && range.getBoundingClientRect().width > room + 0.5;
  }).map((cell) => `${cell.className}: ${cell.textContent}`);
}

/**
 * Texts that are hard to read on what lies behind them, with their contrast.
 *
 * @returns {string[]}
 */
export function contrastFaults() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  // Painting makes one color of any notation, and mixes what is translucent.
  const mixed = (/** @type {readonly string[]} */ colors) => {
    context.clearRect(0, 0, 1, 1);
    for (const color of colors) {
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
    }
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    const linear = [red, green, blue].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const dialog = document.querySelector("dialog[open]");
  /** @type {string[]} */
  const faults = [];
  for (const element of (dialog ?? document.body).querySelectorAll("*")) {
    const ownText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim());
    if (!ownText || !element.checkVisibility() || element.closest("svg, noscript, option") !== null) continue;
    /** @type {string[]} */
    const behind = [];
    for (let place = /** @type {Element | null} */ (element); place !== null; place = place.parentElement) {
      behind.unshift(getComputedStyle(place).backgroundColor);
      if (place === dialog) break;
    }
    const ground = mixed(behind);
    const text = mixed([...behind, getComputedStyle(element).color]);
    const contrast = (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);
    if (contrast < 4.5) faults.push(`${contrast.toFixed(2)}: ${element.textContent?.trim().slice(0, 40)}`);
  }
  return faults;
}

/**
 * What `updates` snapshots do to the rows of the first pool.
 *
 * @param {number} updates
 * @returns {Promise<{ changed: number, replaced: number, usualMs: number }>} `usualMs` is the median of the long tasks
 */
export function mutatedRows(updates) {
  const body = /** @type {HTMLElement} */ (document.querySelector(".pool tbody"));
  /** @type {Set<Element>} */
  const changed = new Set();
  let replaced = 0;
  let left = updates;
  /** @type {number[]} */
  const durations = [];
  const tasks = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) durations.push(duration);
  });
  tasks.observe({ type: "longtask" });
  return new Promise((resolve) => {
    const rows = new MutationObserver((records) => {
      for (const { target, type } of records) {
        if (target === body && type === "childList") replaced++;
        const element = target instanceof Element ? target : target.parentElement;
        const row = element?.closest("tr");
        if (row) changed.add(row);
      }
      if (--left > 0) return;
      rows.disconnect();
      // Tasks are told after they have ended.
      setTimeout(() => {
        tasks.disconnect();
        const usualMs = durations.sort((one, other) => one - other)[durations.length >> 1] ?? 0;
        resolve({ changed: changed.size, replaced, usualMs });
      }, 100);
    });
    rows.observe(body, { childList: true, subtree: true, characterData: true, attributes: true });
  });
}
