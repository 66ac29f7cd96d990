/**
 * The request fields that determine the response with a file, read in one pass over the header lines. Lines of one name
 * are joined with commas (RFC 9110, section 5.3): a field that must not be a list then fails to parse and is ignored.
 *
 * @module
 */

/** Values of the fields that are present. */
export interface RequestFields {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
  readonly ifRange: string | undefined;
  readonly range: string | undefined;
  readonly acceptEncoding: string | undefined;
  /** Whether any field but Accept-Encoding is present. */
  readonly conditional: boolean;
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
  let fields: PresentFields | undefined;
  for (let i = 0; i < lines.length; i += 2) {
    if (!hasFieldLength(lines[i])) continue;
    fields ??= new PresentFields();
    fields.add(lines[i].toLowerCase(), lines[i + 1]);
  }
  return fields ?? NO_FIELDS;
}

/** Whether a name is as long as one of the fields: most are not, and are never compared. */
function hasFieldLength({ length }: string): boolean {
  return length === 5 || length === 8 || length === 13 || length === 15 || length === 17 || length === 19;
}

/** All members are there from the start: adding one by its name takes longer than all the rest of the reading. */
class PresentFields implements RequestFields {
  ifMatch: string | undefined = undefined;
  ifNoneMatch: string | undefined = undefined;
  ifModifiedSince: string | undefined = undefined;
  ifUnmodifiedSince: string | undefined = undefined;
  ifRange: string | undefined = undefined;
  range: string | undefined = undefined;
  acceptEncoding: string | undefined = undefined;
  conditional = false;

  /** Adds a line of any name. */
  add(lowerName: string, value: string): void {
    switch (lowerName) {
      case "accept-encoding":
        this.acceptEncoding = joined(this.acceptEncoding, value);
        return;
      case "if-none-match":
        this.ifNoneMatch = joined(this.ifNoneMatch, value);
        break;
      case "if-modified-since":
        this.ifModifiedSince = joined(this.ifModifiedSince, value);
        break;
      case "range":
        this.range = joined(this.range, value);
        break;
      case "if-range":
        this.ifRange = joined(this.ifRange, value);
        break;
      case "if-match":
        this.ifMatch = joined(this.ifMatch, value);
        break;
      case "if-unmodified-since":
        this.ifUnmodifiedSince = joined(this.ifUnmodifiedSince, value);
        break;
      default:
        return;
    }
    this.conditional = true;
  }
}

const NO_FIELDS: RequestFields = new PresentFields();

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}
