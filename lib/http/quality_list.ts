/**
 * Lists with weights, such as Accept and Accept-Encoding (RFC 9110, section 12.4.2).
 *
 * @module
 */

/** One member of a list: its name in lower case, parameters other than `q` dropped, and its weight from 0 to 1. */
export interface WeightedName {
  readonly name: string;
  readonly quality: number;
}

/**
 * Parses a list with weights. Members with a malformed weight are left out, and so are those after the 64th.
 *
 * @param value Value of the field.
 *
 * @example
 * ```ts
 * import { readQualities } from "./quality_list.ts";
 *
 * console.log(readQualities("gzip;q=0.5, br")); // [{ name: "gzip", quality: 0.5 }, { name: "br", quality: 1 }]
 * ```
 */
export function readQualities(value: string): WeightedName[] {
  const members: WeightedName[] = [];
  for (const part of value.split(",", MAX_MEMBERS)) {
    const [name, ...parameters] = part.split(";");
    const quality = qualityIn(parameters);
    const lowerName = name.trim().toLowerCase();
    if (lowerName !== "" && quality !== undefined) members.push({ name: lowerName, quality });
  }
  return members;
}

const MAX_MEMBERS = 64;
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

function qualityIn(parameters: readonly string[]): number | undefined {
  for (const parameter of parameters) {
    const [name, value = ""] = parameter.split("=");
    if (name.trim().toLowerCase() !== "q") continue;
    const text = value.trim();
    return QUALITY.test(text) ? Number(text) : undefined;
  }
  return 1;
}
