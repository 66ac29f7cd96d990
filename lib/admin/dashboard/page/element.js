/**
 * Elements made and changed in place. Nothing is written that is there already: what does not change costs no layout.
 *
 * @module
 */

/**
 * An element with attributes and children.
 *
 * @template {keyof HTMLElementTagNameMap} N
 * @param {N} name
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[N]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * The element of that id in the page.
 *
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} kind
 * @returns {E}
 */
export function at(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}`);
  return found;
}

/**
 * Sets the text of an element that holds nothing but text.
 *
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  const { firstChild } = target;
  if (firstChild === null) {
    if (text !== "") target.append(text);
  } else if (/** @type {Text} */ (firstChild).data !== text) /** @type {Text} */ (firstChild).data = text;
}

/**
 * Sets a name or a path as text that breaks after its separators (not within an IP address), and within a word only where that is longer than a line.
 *
 * @param {HTMLElement} target
 * @param {string} text
 */
export function setBreakable(target, text) {
  if (target.dataset.text === text) return;
  target.dataset.text = text;
  const parts = text.split(/(?<=[/,;_@&=-]|\.(?=\p{L}))(?=[^/,;_@&=\s-])/u);
  target.replaceChildren(
    ...parts.flatMap((part, index) => index === 0 ? [part] : [document.createElement("wbr"), part]),
  );
}

/**
 * Sets a `data-` attribute; undefined takes it away.
 *
 * @param {HTMLElement} target
 * @param {string} name
 * @param {string | undefined} value
 */
export function setData(target, name, value) {
  if (target.dataset[name] === value) return;
  if (value === undefined) delete target.dataset[name];
  else target.dataset[name] = value;
}

/**
 * Shows or hides an element.
 *
 * @param {HTMLElement} target
 * @param {boolean} shown
 */
export function setShown(target, shown) {
  if (target.hidden === shown) target.hidden = !shown;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * A shape of the page's set, for the eyes only.
 *
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#shape-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Changes the shape of an icon.
 *
 * @param {SVGSVGElement} svg
 * @param {string} name
 */
export function setIcon(svg, name) {
  const use = /** @type {SVGUseElement} */ (svg.firstChild);
  if (use.getAttribute("href") !== `#shape-${name}`) use.setAttribute("href", `#shape-${name}`);
}

/**
 * Brings the children of `parent` into that order with few moves, and takes away all others.
 *
 * @param {Element} parent
 * @param {readonly Element[]} wanted
 */
export function arrange(parent, wanted) {
  let next = parent.firstElementChild;
  for (const child of wanted) {
    // One that left its place must not make all behind it move.
    if (next !== null && next !== child && next.nextElementSibling === child) {
      const left = next;
      next = child;
      left.remove();
    }
    if (next === child) next = child.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  while (next !== null) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
}
