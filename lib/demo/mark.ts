/**
 * The logo of BWS: one line that splits into three.
 *
 * @module
 */

/** The logo as SVG, with lines of `color`. */
export function mark(color: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="28" height="28" fill="none" stroke="${color}" ` +
    `stroke-width="2.5" stroke-linecap="round" aria-hidden="true"><path d="M3 16h8m0 0c6 0 5-9 12-9m-12 9h12m-12 0c6 0 5 9 12 9"/>` +
    `<circle cx="27" cy="7" r="3" fill="#9a5be0" stroke="none"/><circle cx="27" cy="16" r="3" fill="#14988c" stroke="none"/>` +
    `<circle cx="27" cy="25" r="3" fill="#4f7cf7" stroke="none"/></svg>`;
}

/** The logo as a data URL for the page's icon. */
export function markIcon(): string {
  return `data:image/svg+xml,${encodeURIComponent(mark("#8b8d98"))}`;
}
