/**
 * What a test's code says by `console.warn`.
 *
 * @module
 */

/** Takes `console.warn` until it is disposed; `text` has all lines. */
export function consoleWarnings(): Disposable & { readonly text: string } {
  const { warn } = console;
  const lines: string[] = [];
  Object.assign(console, { warn: (text: string) => lines.push(text) });
  return {
    get text() {
      return lines.join("\n");
    },
    [Symbol.dispose]: () => {
      Object.assign(console, { warn });
    },
  };
}
