/**
 * A field section of HTTP/2 (RFC 9113, section 8): takes the fields of a header block one by one, checks them, and keeps
 * pseudo-fields apart. What HTTP/1.1 could read in another way is malformed, because request smuggling lives on that.
 *
 * @module
 */

/** What a header block is. */
export type BlockKind = "request" | "response" | "trailers";

/** Limits of the decoded fields. */
export interface FieldLimits {
  /** Names and values, with 32 bytes for each field (RFC 9113, section 6.5.2). */
  readonly maxBytes: number;
  readonly maxLines: number;
}

/** The fields of one block. Used again for the next one: only {@linkcode lines} outlives it. */
export class FieldBlock {
  kind: BlockKind = "request";
  /** Why it is malformed (RFC 9113, section 8.1.1), or empty. */
  fault = "";
  /** Whether it is above the limits. Its fields are not complete then. */
  tooLarge = false;
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  protocol: string | undefined;
  /** Status of a response; 0 in others. */
  status = 0;
  /** Value of Host in a request, which is not among the lines. */
  host: string | undefined;
  /** Value of Content-Length; -1 where there is none. */
  contentLength = -1;
  /** Header lines without pseudo-fields, flat; names in lower case. Cookie lines are joined (section 8.2.3). */
  lines: string[] = [];
  #limits: FieldLimits = { maxBytes: 0, maxLines: 0 };
  #bytes = 0;
  #cookieAt = -1;

  /** Begins a block. */
  begin(kind: BlockKind, limits: FieldLimits): void {
    this.kind = kind;
    this.fault = "";
    this.tooLarge = false;
    this.method =
      this.scheme =
      this.authority =
      this.path =
      this.protocol =
      this.host =
        undefined;
    this.status = 0;
    this.contentLength = -1;
    this.lines = [];
    this.#limits = limits;
    this.#bytes = 0;
    this.#cookieAt = -1;
  }

  /** Takes the next field. */
  field(name: string, value: string): void {
    this.#bytes += name.length + value.length + FIELD_BYTES;
    if (this.#bytes > this.#limits.maxBytes || this.lines.length >= 2 * this.#limits.maxLines) this.tooLarge = true;
    if (this.tooLarge || this.fault !== "") return;
    const kind = known.get(name) ?? kindOf(name);
    if (!validValue(value)) {
      this.fault = `the value of ${shown(name)} holds what it may not`;
      return;
    }
    switch (kind) {
      case Kind.Plain:
        this.lines.push(name, value);
        return;
      case Kind.Pseudo:
        return this.#pseudo(name, value);
      case Kind.Cookie:
        if (this.#cookieAt >= 0) this.lines[this.#cookieAt] += "; " + value;
        else this.#cookieAt = this.lines.push(name, value) - 1;
        return;
      case Kind.ContentLength:
        return this.#length(name, value);
      case Kind.Host:
        if (this.kind !== "request") this.lines.push(name, value);
        else if (this.host !== undefined) this.fault = "Host is repeated";
        else this.host = value;
        return;
      case Kind.Te:
        if (value.toLowerCase() !== "trailers") this.fault = "TE is not trailers";
        else this.lines.push(name, value);
        return;
      case Kind.Joined:
        return this.#join(name, value);
      case Kind.Connection:
        this.fault = `it has ${name}, which HTTP/2 does not have`;
        return;
      default:
        this.fault = `${shown(name)} is no field name`;
    }
  }

  /** All fields were taken: looks for what is missing. */
  end(): void {
    if (this.fault !== "" || this.tooLarge || this.kind === "trailers") return;
    this.fault = this.kind === "request" ? this.#requestFault() : this.status === 0 ? "it has no :status" : "";
  }

  #pseudo(name: string, value: string): void {
    if (this.kind === "trailers") this.fault = `trailers have ${name}`;
    else if (this.lines.length > 0 || this.host !== undefined) this.fault = `${name} follows other fields`;
    else if (this.kind === "response") {
      if (name !== ":status" || this.status !== 0) this.fault = `it has ${name}, or has it twice`;
      else if (!/^[1-9][0-9][0-9]$/.test(value)) this.fault = ":status is no status";
      else this.status = Number(value);
    } else if (name === ":method" && this.method === undefined) this.method = value;
    else if (name === ":scheme" && this.scheme === undefined) this.scheme = value;
    else if (name === ":authority" && this.authority === undefined) this.authority = value;
    else if (name === ":path" && this.path === undefined) this.path = value;
    else if (name === ":protocol" && this.protocol === undefined) this.protocol = value;
    else this.fault = `it has ${shown(name)}, or has it twice`;
  }

  #length(name: string, value: string): void {
    this.lines.push(name, value);
    if (this.kind === "trailers") return;
    const length = /^[0-9]{1,16}$/.test(value) ? Number(value) : -1;
    if (length < 0 || length > Number.MAX_SAFE_INTEGER) this.fault = "Content-Length is no length";
    else if (this.contentLength >= 0) this.fault = "Content-Length is repeated";
    else this.contentLength = length;
  }

  // Fields that are read as one value further down: their lines become one, as RFC 9110, section 5.3 allows.
  #join(name: string, value: string): void {
    const { lines } = this;
    for (let i = 0; this.kind === "request" && i < lines.length; i += 2) {
      if (lines[i] !== name) continue;
      lines[i + 1] += `, ${value}`;
      return;
    }
    lines.push(name, value);
  }

  // RFC 9113, sections 8.3.1 and 8.5; RFC 8441, section 4.
  #requestFault(): string {
    const { method, scheme, authority, path, protocol, host } = this;
    if (method === undefined || !isToken(method)) return "it has no valid :method";
    if (protocol !== undefined && method !== "CONNECT") return "it has :protocol without CONNECT";
    if (method === "CONNECT" && protocol === undefined) {
      if (scheme !== undefined || path !== undefined) return "CONNECT has :scheme or :path";
      return authority === undefined ? "CONNECT has no :authority" : "";
    }
    if (scheme === undefined || scheme === "") return "it has no :scheme";
    if (path === undefined || path === "") return "it has no :path";
    if (protocol !== undefined && authority === undefined) return "CONNECT has no :authority";
    if (authority === undefined && host === undefined) return "it has neither :authority nor Host";
    if (authority !== undefined && host !== undefined && host.toLowerCase() !== authority.toLowerCase()) {
      return ":authority and Host differ";
    }
    return path.charCodeAt(0) === SLASH || (path === "*" && method === "OPTIONS") ? "" : ":path is no path";
  }
}

/** What is done with a field. */
enum Kind {
  Plain,
  Pseudo,
  Cookie,
  ContentLength,
  Host,
  Te,
  /** Several lines are made one. */
  Joined,
  /** Of a connection of HTTP/1.1: malformed (section 8.2.2). */
  Connection,
  /** No field name in lower case. */
  Invalid,
}

const FIELD_BYTES = 32;
const SLASH = 0x2f;
const COLON = 0x3a;
const MOST_KNOWN = 1024;
const LONGEST_KNOWN = 64;

const SPECIAL: readonly (readonly [string, Kind])[] = [
  ["cookie", Kind.Cookie],
  ["content-length", Kind.ContentLength],
  ["host", Kind.Host],
  ["te", Kind.Te],
  ...["accept", "via", "expect"].map((name) => [name, Kind.Joined] as const),
  ...["key", "version", "protocol", "extensions"].map((name) => [`sec-websocket-${name}`, Kind.Joined] as const),
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name) =>
    [name, Kind.Connection] as const
  ),
];
const known = new Map<string, Kind>(SPECIAL);

// Peers choose the names: the cache is limited, and begins anew when it is full.
function kindOf(name: string): Kind {
  const kind = name.charCodeAt(0) === COLON ? Kind.Pseudo : isLowerToken(name) ? Kind.Plain : Kind.Invalid;
  if (name.length > LONGEST_KNOWN || kind === Kind.Invalid) return kind;
  if (known.size >= MOST_KNOWN) {
    known.clear();
    for (const [special, its] of SPECIAL) known.set(special, its);
  }
  known.set(name, kind);
  return kind;
}

function validValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  if (value.charCodeAt(0) <= 0x20 || value.charCodeAt(length - 1) <= 0x20) return false;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}

/** Bit 1: of a token; bit 2: of a token in lower case. */
const TOKEN: Uint8Array = tokenTable();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") table[char.charCodeAt(0)] = 3;
  for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZ") table[char.charCodeAt(0)] = 1;
  return table;
}

function isLowerToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((TOKEN[text.charCodeAt(i)] & 2) === 0) return false;
  return text !== "";
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (TOKEN[text.charCodeAt(i)] === 0) return false;
  return text !== "";
}

/** The beginning of a name, for messages. */
function shown(name: string): string {
  return JSON.stringify(name.length > 40 ? name.slice(0, 40) + "…" : name);
}
