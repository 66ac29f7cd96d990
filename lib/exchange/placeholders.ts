/**
 * Text with placeholders, such as `https://{host}/{path}`. Compiled once, when the config is built. Braces are a placeholder
 * where a name stands in them, and text in all other cases, such as in JSON; `{{name}}` is the text `{name}`.
 *
 * @module
 */

import type { Fault } from "../config/fields.ts";
import { nearestName } from "../config/nearest_name.ts";
import type { Exchange } from "./exchange.ts";
import { FACTS, NAMED_FACTS, type Stage, STAGES, type Value } from "./placeholder_values.ts";

/** The named parts of a path. */
export type NamedParts = Readonly<Record<string, string>>;

/** How a text with placeholders is used. */
export interface PlaceholderUse {
  /**
   * When its values are needed.
   *
   * @default {"received"}
   */
  readonly stage?: Stage;
  /**
   * Names of a pattern's parts, which are placeholders, too.
   *
   * @default {[]}
   */
  readonly parts?: readonly string[] | undefined;
  /**
   * Whether a name that is not known is text, with its braces.
   *
   * @default {false}
   */
  readonly keepsUnknown?: boolean;
}

/** A text with placeholders. Immutable. */
export class PlaceholderText {
  readonly #pieces: readonly (string | Value)[];

  /** @throws {SyntaxError} When it has a placeholder that is not known, or not known yet when it is used. */
  constructor(source: string, use: PlaceholderUse = {}) {
    this.#pieces = placeholderPieces(source).map((piece) =>
      typeof piece === "string" ? piece : valueOf(piece.name, use) ?? `{${piece.name}}`
    );
  }

  /** The text, if it has no placeholder. */
  get fixed(): string | undefined {
    return this.#pieces.every((piece) => typeof piece === "string") ? this.#pieces.join("") : undefined;
  }

  /** The text for an exchange. A value that begins with a slash behind a slash loses its own. */
  text(exchange: Exchange, parts: NamedParts = {}): string {
    let text = "";
    for (const piece of this.#pieces) {
      if (typeof piece === "string") text += piece;
      else {
        const value = piece(exchange, parts);
        text += text.endsWith("/") && value.startsWith("/") ? value.slice(1) : value;
      }
    }
    return text;
  }
}

/** The pieces of a text: those that stay as they are, and the names of placeholders. */
export function placeholderPieces(source: string): (string | { readonly name: string })[] {
  const pieces: (string | { readonly name: string })[] = [];
  let at = 0;
  for (const { 0: whole, 1: literal, 2: name, index } of source.matchAll(PLACEHOLDER)) {
    pieces.push(source.slice(at, index), literal === undefined ? { name } : `{${literal}}`);
    at = index + whole.length;
  }
  pieces.push(source.slice(at));
  return pieces.filter((piece) => piece !== "");
}

/** What is wrong with the placeholders of a text. */
export function placeholderFault(source: string, use: PlaceholderUse = {}): Fault | undefined {
  for (const { 0: whole, 2: name } of source.matchAll(PLACEHOLDER)) {
    if (name === undefined) continue;
    try {
      valueOf(name, use);
    } catch (error) {
      const nearest = nearestPlaceholder(name, use);
      return {
        message: (error as Error).message,
        expected: `a placeholder that is known, or {${whole}} for the text ${whole}`,
        ...(nearest === undefined ? {} : { suggestion: source.replace(whole, nearest) }),
      };
    }
  }
  return undefined;
}

/** Braces that stand for text, though they look like a placeholder: what they hold is like one, or begins like one. */
export function mistakenPlaceholder(
  source: string,
  use: PlaceholderUse,
): { text: string; nearest: string | undefined } | undefined {
  for (const { 0: text, 2: name } of source.matchAll(PLACEHOLDER)) {
    if (name === undefined || valueOf(name, { ...use, stage: "responded", keepsUnknown: true }) !== undefined) continue;
    const nearest = nearestPlaceholder(name, use);
    if (nearest !== undefined || GROUPS.has(name.slice(0, name.indexOf(".")))) return { text, nearest };
  }
  return undefined;
}

function nearestPlaceholder(name: string, use: PlaceholderUse): string | undefined {
  const own = NAMED_GROUP.exec(name);
  const group = own === null ? undefined : nearestName(own[1], Object.keys(NAMED_FACTS));
  if (group !== undefined) return `{${group}.${own?.[2]}}`;
  const nearest = nearestName(name, namesFor(use).filter((one) => !one.endsWith(".NAME")));
  return nearest === undefined ? undefined : `{${nearest}}`;
}

/** The names that are known at a stage; those with a name of their own in them end with `NAME`. */
export function namesFor({ stage = "received", parts = [] }: PlaceholderUse): string[] {
  const known = (facts: object) => Object.entries(facts).filter(([, fact]) => reached(stage, fact.stage));
  return [
    ...parts,
    ...known(FACTS).map(([name]) => name),
    ...known(NAMED_FACTS).map(([name]) => `${name}.NAME`),
  ];
}

/** What a name stands for; undefined where it is kept as text. */
function valueOf(name: string, use: PlaceholderUse): Value | undefined {
  const { stage = "received", parts = [], keepsUnknown = false } = use;
  if (parts.includes(name)) return (_, values) => values[name];
  const dot = name.indexOf(".");
  const [group, own] = [name.slice(0, dot), name.slice(dot + 1)];
  const fact = Object.hasOwn(FACTS, name) ? FACTS[name] : undefined;
  const named = dot > 0 && Object.hasOwn(NAMED_FACTS, group) ? NAMED_FACTS[group] : undefined;
  const found = fact ?? named;
  if (found === undefined) {
    if (keepsUnknown) return undefined;
    throw new SyntaxError(`{${name}} is not known, only ${namesFor(use).map((one) => `{${one}}`).join(", ")}`);
  }
  if (!reached(stage, found.stage)) throw new SyntaxError(`{${name}} is not known before ${KNOWN_FROM[found.stage]}`);
  return fact?.value ?? (named as (typeof NAMED_FACTS)[string]).value(own);
}

function reached(stage: Stage, needed: Stage): boolean {
  return STAGES.indexOf(stage) >= STAGES.indexOf(needed);
}

const KNOWN_FROM: Readonly<Record<Stage, string>> = {
  received: "a request arrives",
  forwarded: "an upstream is chosen",
  responded: "there is a response",
};

const NAME = String.raw`\*|[A-Za-z_][\w-]*(?:\.[!#$%&'*+.^_\x60|~0-9A-Za-z-]+)?`;
/** `${` is a substitution of the config, or the text of one. */
const PLACEHOLDER = new RegExp(String.raw`(?<!\$)(?:\{\{(${NAME})\}\}|\{(${NAME})\})`, "g");
const NAMED_GROUP = /^(\w+)\.([^}]+)$/;
const GROUPS: ReadonlySet<string> = new Set(
  [...Object.keys(FACTS), ...Object.keys(NAMED_FACTS).map((group) => `${group}.`)]
    .filter((name) => name.includes(".")).map((name) => name.slice(0, name.indexOf("."))),
);
