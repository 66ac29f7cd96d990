/**
 * The cost of matching a path against a pattern. The runtime matches with a backtracking regular expression, and
 * clients choose the paths: `/:a(x+)+` or a pattern with many stars could be made to take minutes. So the repeats of a
 * pattern that compete for the same characters are counted: the length of the path to that power bounds the time.
 * Syntax that is not known here counts as too slow.
 *
 * @module
 */

/**
 * Length of the longest path that is matched against a pattern with two competing repeats: 4 million steps, about 5 ms.
 */
const SQUARE_PATH_MAX = 2048;

/**
 * Length of the longest path that may be matched against a pattern; undefined if no length is safe.
 *
 * @param pathname Pathname of a URLPattern, as the runtime returns it.
 */
export function longestPathFor(pathname: string): number | undefined {
  const power = new PatternReader(pathname).power();
  if (power === undefined || power > 2) return undefined;
  return power < 2 ? Infinity : SQUARE_PATH_MAX;
}

/** Most combinations of alternatives and optional parts in which a path may have to be tried. */
const WAYS_MAX = 256;
const COUNT_MAX = 256;

/** The repeats within one part of a pattern. */
interface Repeats {
  /** Repeats that cannot match a slash: they compete within their segment only. */
  confined: number;
  /** Repeats that can match a slash. */
  crossing: number;
}

/** Thrown and caught in this file only. */
class TooSlow extends Error {}

class Ways {
  #count = 1;

  multiply(by: number): void {
    this.#count *= by;
    if (this.#count > WAYS_MAX) throw new TooSlow();
  }
}

class PatternReader {
  readonly #text: string;
  readonly #ways = new Ways();
  #at = 0;
  #crossing = 0;
  #inSegment = 0;
  #mostInSegment = 0;

  constructor(text: string) {
    this.#text = text;
  }

  power(): number | undefined {
    try {
      while (this.#at < this.#text.length) this.#readPart(false);
    } catch (error) {
      if (error instanceof TooSlow) return undefined;
      throw error;
    }
    return this.#crossing + Math.max(this.#mostInSegment, this.#inSegment);
  }

  /** Reads one part: a character, a group that matches, or braces. Returns whether it is a plain character. */
  #readPart(braced: boolean): boolean {
    const start = this.#at;
    const char = this.#text[start];
    if (char === "{") {
      this.#readBraces(braced);
      return false;
    }
    if (char !== ":" && char !== "*" && char !== "(") {
      this.#at += char === "\\" ? 2 : 1;
      if (char === "/") this.#endSegment();
      return true;
    }
    let repeats = this.#readGroup();
    const modifier = this.#readModifier();
    if (modifier === "*" || modifier === "+") {
      // Only a slash before the group, which then separates the repetitions, marks where one ends and the next begins.
      const separated = this.#text[start - 1] === "/" && repeats.crossing === 0 && repeats.confined <= 1;
      if (!separated || braced) throw new TooSlow();
      repeats = { confined: 0, crossing: 1 };
    }
    // Nothing after the last star can fail, so it never backtracks.
    if (char === "*" && modifier === "" && !braced && this.#at === this.#text.length) return false;
    this.#count(repeats);
    return false;
  }

  #readBraces(braced: boolean): void {
    if (braced) throw new TooSlow();
    this.#at++;
    let plain = true;
    while (this.#at < this.#text.length && this.#text[this.#at] !== "}") plain = this.#readPart(true) && plain;
    this.#at++;
    const modifier = this.#readModifier();
    if (modifier !== "*" && modifier !== "+") return;
    if (!plain) throw new TooSlow();
    this.#count({ confined: 0, crossing: 1 });
  }

  #readGroup(): Repeats {
    if (this.#text[this.#at] === "*") {
      this.#at++;
      return { confined: 0, crossing: 1 };
    }
    if (this.#text[this.#at] === ":") {
      this.#at += /^:[\p{ID_Continue}$]+/u.exec(this.#text.slice(this.#at))?.[0].length ?? 1;
    }
    if (this.#text[this.#at] !== "(") return { confined: 1, crossing: 0 };
    const expression = new ExpressionReader(this.#text, this.#at + 1, this.#ways);
    const repeats = expression.read();
    this.#at = expression.end + 1;
    return repeats;
  }

  #readModifier(): string {
    const char = this.#text[this.#at];
    if (char !== "?" && char !== "*" && char !== "+") return "";
    this.#at++;
    if (char !== "+") this.#ways.multiply(2);
    return char;
  }

  #count({ confined, crossing }: Repeats): void {
    this.#inSegment += confined;
    this.#crossing += crossing;
  }

  #endSegment(): void {
    this.#mostInSegment = Math.max(this.#mostInSegment, this.#inSegment);
    this.#inSegment = 0;
  }
}

/** Reads the regular expression of a group; throws for syntax whose cost is not known. */
class ExpressionReader {
  readonly #text: string;
  readonly #ways: Ways;
  #at: number;

  /** @param at Index after the opening parenthesis. */
  constructor(text: string, at: number, ways: Ways) {
    this.#text = text;
    this.#at = at;
    this.#ways = ways;
  }

  /** Index of the closing parenthesis, once read. */
  get end(): number {
    return this.#at;
  }

  read(): Repeats {
    const repeats: Repeats = { confined: 0, crossing: 0 };
    let branches = 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== ")") {
      if (this.#text[this.#at] === "|") {
        this.#at++;
        branches++;
        continue;
      }
      const atom = this.#readAtom();
      const repeated = this.#readQuantifier();
      if (repeated && !atom.single) throw new TooSlow();
      repeats.confined += atom.repeats.confined + (repeated && !atom.crossing ? 1 : 0);
      repeats.crossing += atom.repeats.crossing + (repeated && atom.crossing ? 1 : 0);
    }
    this.#ways.multiply(branches);
    return repeats;
  }

  /** Reads one character, class or inner group. */
  #readAtom(): { single: boolean; crossing: boolean; repeats: Repeats } {
    const char = this.#text[this.#at];
    const single = (crossing: boolean) => ({ single: true, crossing, repeats: { confined: 0, crossing: 0 } });
    if (char === "(") return this.#readInnerGroup();
    if (char === "[") return single(this.#readClass());
    this.#at++;
    if (char === "\\") return single(this.#readEscape());
    return single(char === "." || char === "/");
  }

  #readInnerGroup(): { single: boolean; crossing: boolean; repeats: Repeats } {
    if (!this.#text.startsWith("(?:", this.#at)) throw new TooSlow(); // lookahead or lookbehind
    this.#at += 3;
    const repeats = this.read();
    this.#at++;
    return { single: false, crossing: false, repeats };
  }

  /** Reads an escape. Returns whether it can match a slash. */
  #readEscape(): boolean {
    const char = this.#text[this.#at++];
    if (char === "d" || char === "w" || char === "s") return false;
    if (char === "D" || char === "W" || char === "S") return true;
    if (char === "x") {
      this.#at += 2;
      return this.#text.slice(this.#at - 2, this.#at).toLowerCase() === "2f";
    }
    // Other letters and digits have special meanings, such as back references.
    if (/[A-Za-z0-9]/.test(char)) throw new TooSlow();
    return char === "/";
  }

  /** Reads a class. Returns whether it can match a slash. */
  #readClass(): boolean {
    const negated = this.#text[++this.#at] === "^";
    if (negated) this.#at++;
    let slash = false;
    for (; this.#text[this.#at] !== "]"; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined || char === "[" || char === "&") throw new TooSlow(); // nested sets
      if (char === "\\") {
        this.#at++;
        slash = this.#readEscape() || slash;
        this.#at--;
      } else if (char === "/") slash = true;
      // A range that begins before the slash and ends after it contains it.
      else if (this.#text[this.#at + 1] === "-" && char < "/" && this.#text[this.#at + 2] > "/") slash = true;
    }
    this.#at++;
    return negated ? !slash : slash;
  }

  /** Reads a quantifier. Returns whether it repeats what is before it. */
  #readQuantifier(): boolean {
    const counted = /^\{(\d*)(,?)(\d*)\}/.exec(this.#text.slice(this.#at, this.#at + 16));
    const char = this.#text[this.#at];
    let repeated = false;
    if (counted !== null) {
      this.#at += counted[0].length;
      if (Number(counted[1]) > COUNT_MAX || Number(counted[3]) > COUNT_MAX) throw new TooSlow();
      repeated = counted[2] === ",";
    } else if (char === "*" || char === "+") {
      this.#at++;
      repeated = true;
    } else if (char === "?") {
      this.#at++;
      this.#ways.multiply(2);
    } else return false;
    if (this.#text[this.#at] === "?") this.#at++; // lazy
    return repeated;
  }
}
