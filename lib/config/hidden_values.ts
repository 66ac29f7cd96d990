/**
 * The values that were substituted for `${NAME}`, which are never shown: they are recorded when they are substituted, and
 * masked in problems.
 *
 * @module
 */

/** A shorter value is masked only in quotes: `80` or `api` could be in any sentence. */
const MIN_BARE_LENGTH = 12;
/** Messages may contain only the beginning of longer values. */
const MAX_WHOLE_LENGTH = 40;

/** The substituted values of one config. Owned by its list of problems. */
export class HiddenValues {
  /** The text that replaces each value. */
  readonly #shown = new Map<string, string>();

  /**
   * Records a value.
   *
   * @param shown The text that replaces it, such as `${NAME}`.
   */
  add(value: string, shown: string): void {
    if (value !== "" && value !== shown) this.#shown.set(value, shown);
  }

  /** `text` with all values replaced, ignoring case. */
  mask(text: string): string {
    if (this.#shown.size === 0) return text;
    let masked = text;
    // The longest first: a value may contain another one.
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
  // If the lower case has another length (İ), its indices do not apply to the text.
  if (lowText.length !== text.length || lowPart.length !== part.length) return text.replaceAll(part, () => by);
  let result = "";
  let from = 0;
  for (let at = lowText.indexOf(lowPart); at >= 0; at = lowText.indexOf(lowPart, from)) {
    result += text.slice(from, at) + by;
    from = at + part.length;
  }
  return from === 0 ? text : result + text.slice(from);
}
