/**
 * The request fields that determine the response with a file, read in one pass over the header lines. Lines of one name
 * are joined with commas (RFC 9110, section 5.3): a field that must not be a list then fails to parse and is ignored.
 *
 * @module
 */

/** Values of the fields that are present. */
export interface RequestFields {
  ifMatch?: string;
  ifNoneMatch?: string;
  ifModifiedSince?: string;
  ifUnmodifiedSince?: string;
  ifRange?: string;
  range?: string;
  acceptEncoding?: string;
  /** Whether any field but Accept-Encoding is present. */
  conditional: boolean;
}

/** The parts of a request that select the response. */
export interface PageRequest {
  /** `GET` or `HEAD`. */
  readonly method: string;
  readonly fields: RequestFields;
  /** Whether the response may have header lines in `HttpResponse.passed`. */
  readonly takesPassed: boolean;
}

/** Reads the fields from header lines. */
export function readRequestFields(lines: readonly string[]): RequestFields {
  const fields: RequestFields = { conditional: false };
  for (let i = 0; i < lines.length; i += 2) {
    const key = fieldKey(lines[i]);
    if (key === undefined) continue;
    const before = fields[key];
    fields[key] = before === undefined ? lines[i + 1] : `${before}, ${lines[i + 1]}`;
    if (key !== "acceptEncoding") fields.conditional = true;
  }
  return fields;
}

type FieldKey = Exclude<keyof RequestFields, "conditional">;

/** The length is checked first: most names have none of these lengths, and are never compared. */
function fieldKey(name: string): FieldKey | undefined {
  switch (name.length) {
    case 5:
      return same(name, "range") ? "range" : undefined;
    case 8:
      return same(name, "if-match") ? "ifMatch" : same(name, "if-range") ? "ifRange" : undefined;
    case 13:
      return same(name, "if-none-match") ? "ifNoneMatch" : undefined;
    case 15:
      return same(name, "accept-encoding") ? "acceptEncoding" : undefined;
    case 17:
      return same(name, "if-modified-since") ? "ifModifiedSince" : undefined;
    case 19:
      return same(name, "if-unmodified-since") ? "ifUnmodifiedSince" : undefined;
    default:
      return undefined;
  }
}

function same(name: string, lowerName: string): boolean {
  return name === lowerName || name.toLowerCase() === lowerName;
}
