/**
 * The values that came into a config by `${NAME}`, none of which is ever shown: they are noted where they are substituted,
 * and masked where problems are made.
 *
 * @module
 */

/** Below this length a value is masked only where it stands in quotes: `80` or `api` would be found in any sentence. */
const MIN_BARE_LENGTH = 12;
/** Of longer values, messages may hold the beginning alone. */
const MAX_WHOLE_LENGTH = 40;

/** Owned by the problems of one config. */
export class HiddenValues {
  /** What each value is shown as. */
  readonly #shown = new Map<string, string>();

  /**
   * Notes a value.
   *
   * @param shown What stands in its place, such as `${NAME}`.
   */
  add(value: string, shown: string): void {
    if (value !== "" && value !== shown) this.#shown.set(value, shown);
  }

  /** `text` without the values, in whatever case. */
  mask(text: string): string {
    if (this.#shown.size === 0) return text;
    let masked = text;
    // The longest first: a value may hold another
    for (const [value, shown] of [...this.#shown].sort(([a], [b]) => b.length - a.length)) {
      masked = replaced(masked, JSON.stringify(value), JSON.stringify(shown));
      if (value.length < MIN_BARE_LENGTH) continue;
      const escaped = JSON.stringify(value).slice(1, -1);
      for (
        const form of new Set([value, escaped, value.slice(0, MAX_WHOLE_LENGTH), escaped.slice(0, MAX_WHOLE_LENGTH)])
      ) {
        masked = replaced(masked, form, shown);
      }
    }
    return masked;
  }
}

function replaced(text: string, part: string, by: string): string {
  const [lowText, lowPart] = [text.toLowerCase(), part.toLowerCase()];
  // Where lower case has another length (İ), places in it are none in the text
  if (lowText.length !== text.length || lowPart.length !== part.length) return text.replaceAll(part, () => by);
  let result = "";
  let from = 0;
  for (let at = lowText.indexOf(lowPart); at >= 0; at = lowText.indexOf(lowPart, from)) {
    result += text.slice(from, at) + by;
    from = at + part.length;
  }
  return from === 0 ? text : result + text.slice(from);
}
