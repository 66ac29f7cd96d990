/**
 * What comparing a path with a pattern can cost. The runtime compares with an expression that goes back and tries again,
 * and clients choose the paths: `/:a(x+)+` or a pattern with many stars could be made to take minutes. So the repeats of a
 * pattern that can compete for the same characters are counted, and the path's length to that power bounds the time. What
 * is not understood here counts as too slow.
 *
 * @module
 */

/** Length of the longest path that a pattern with two competing repeats is compared with: 4 million steps, some 5 ms. */
const SQUARE_PATH_MAX = 2048;

/**
 * Length of the longest path that may be compared with a pattern; undefined where no length would be safe.
 *
 * @param pathname Pathname of a URLPattern, as the runtime gives it back.
 */
export function longestPathFor(pathname: string): number | undefined {
  const power = new PatternReader(pathname).power();
  if (power === undefined || power > 2) return undefined;
  return power < 2 ? Infinity : SQUARE_PATH_MAX;
}

/** Ways to choose among alternatives, and between there and not there, that a path may have to be tried in. */
const WAYS_MAX = 256;
const COUNT_MAX = 256;

/** The repeats within one part of a pattern. */
interface Repeats {
  /** Those that end at a slash: they compete within their segment alone. */
  confined: number;
  /** Those that go on over slashes. */
  crossing: number;
}

/** Thrown, and caught, in this file only. */
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

  /** One part: a character, a group that matches, or braces. Gives whether it is a plain character. */
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
      // Only a slash before it, which then stands between the repeated parts, tells where one ends and the next begins.
      const separated = this.#text[start - 1] === "/" && repeats.crossing === 0 && repeats.confined <= 1;
      if (!separated || braced) throw new TooSlow();
      repeats = { confined: 0, crossing: 1 };
    }
    // Nothing behind the last star can fail, so it is never tried again.
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

/** Reads the expression of a group as far as it is certain what it costs. */
class ExpressionReader {
  readonly #text: string;
  readonly #ways: Ways;
  #at: number;

  /** @param at Behind the opening parenthesis. */
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

  /** One character or class, or a group of its own. */
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
    if (!this.#text.startsWith("(?:", this.#at)) throw new TooSlow(); // looks ahead or behind
    this.#at += 3;
    const repeats = this.read();
    this.#at++;
    return { single: false, crossing: false, repeats };
  }

  /** Whether an escape can match a slash. */
  #readEscape(): boolean {
    const char = this.#text[this.#at++];
    if (char === "d" || char === "w" || char === "s") return false;
    if (char === "D" || char === "W" || char === "S") return true;
    if (char === "x") {
      this.#at += 2;
      return this.#text.slice(this.#at - 2, this.#at).toLowerCase() === "2f";
    }
    // Other letters and digits have meanings of their own, back references among them.
    if (/[A-Za-z0-9]/.test(char)) throw new TooSlow();
    return char === "/";
  }

  /** Whether a class can match a slash. */
  #readClass(): boolean {
    const negated = this.#text[++this.#at] === "^";
    if (negated) this.#at++;
    let slash = false;
    for (; this.#text[this.#at] !== "]"; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined || char === "[" || char === "&") throw new TooSlow(); // sets within sets
      if (char === "\\") {
        this.#at++;
        slash = this.#readEscape() || slash;
        this.#at--;
      } else if (char === "/") slash = true;
      // A range whose ends lie on both sides of the slash holds it.
      else if (this.#text[this.#at + 1] === "-" && char < "/" && this.#text[this.#at + 2] > "/") slash = true;
    }
    this.#at++;
    return negated ? !slash : slash;
  }

  /** Whether what stands before can be there a number of times. */
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
    if (this.#text[this.#at] === "?") this.#at++; // as few as may be
    return repeated;
  }
}
