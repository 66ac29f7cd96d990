/**
 * A small line that shows the last minutes of a figure, with what failed of it below.
 *
 * @module
 */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 24;
const STEPS = 60;
const WINDOW_MS = 180_000;

/** A sparkline. It is decoration beside the figures: screen readers skip it. */
export class Spark {
  /** @type {SVGSVGElement} */
  element;
  #area = path("area");
  #line = path("line");
  #failed = path("failed");
  #sums = new Float64Array(STEPS);
  #counts = new Uint16Array(STEPS);

  constructor() {
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "spark");
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.#area, this.#line, this.#failed);
  }

  /**
   * Draws values, and failures on the same scale.
   *
   * @param {{ atMs: Float64Array, length: number }} times
   * @param {Float64Array} values
   * @param {number} top The value at the upper edge.
   * @param {Float64Array} [failures]
   */
  draw(times, values, top, failures) {
    const steps = this.#steps(times, values, top);
    const line = steps.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
    const [firstX] = steps[0] ?? [0];
    const [lastX] = steps.at(-1) ?? [0];
    set(this.#line, line);
    set(this.#area, line === "" ? "" : `${line}L${lastX} ${HEIGHT}L${firstX} ${HEIGHT}Z`);
    if (failures === undefined) return;
    const bars = this.#steps(times, failures, top).filter(([, , value]) => value > 0);
    // However few failed, it is seen.
    set(this.#failed, bars.map(([x, y]) => `M${x} ${HEIGHT}V${Math.min(y, HEIGHT - 3)}`).join(""));
  }

  /**
   * Means of equal spans of time: their place, and the value itself.
   *
   * @param {{ atMs: Float64Array, length: number }} times
   * @param {Float64Array} values
   * @param {number} top
   * @returns {[x: number, y: number, value: number][]}
   */
  #steps({ atMs, length }, values, top) {
    const sums = this.#sums.fill(0);
    const counts = this.#counts.fill(0);
    const stepMs = WINDOW_MS / STEPS;
    // Steps begin at whole multiples, so that old ones keep their value while they move to the left.
    const last = Math.floor(atMs[length - 1] / stepMs);
    for (let i = length - 1; i >= 0; i--) {
      const step = STEPS - 1 - (last - Math.floor(atMs[i] / stepMs));
      if (step < 0) break;
      if (Number.isNaN(values[i])) continue;
      sums[step] += values[i];
      counts[step]++;
    }
    /** @type {[number, number, number][]} */
    const steps = [];
    for (let step = 0; step < STEPS; step++) {
      if (counts[step] === 0) continue;
      const value = sums[step] / counts[step];
      const y = HEIGHT - 1 - Math.min(1, value / Math.max(top, 1e-9)) * (HEIGHT - 2);
      steps.push([Math.round(step / (STEPS - 1) * WIDTH * 10) / 10, Math.round(y * 10) / 10, value]);
    }
    return steps;
  }
}

/**
 * @param {string} name
 * @returns {SVGPathElement}
 */
function path(name) {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("class", name);
  return made;
}

/**
 * @param {SVGPathElement} target
 * @param {string} d
 */
function set(target, d) {
  if (target.getAttribute("d") !== d) target.setAttribute("d", d);
}
