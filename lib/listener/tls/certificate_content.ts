/**
 * The content of an X.509 certificate (RFC 5280) of a client, read from its DER. The runtime's own reader gives names as
 * lines, in which a line end within a value cannot be told from the next value, and no key usage.
 *
 * @module
 */

/** What a certificate says. */
export interface CertificateContent {
  /** Hexadecimal digits. */
  readonly serial: string;
  /** RFC 4514. */
  readonly issuer: string;
  /** RFC 4514. */
  readonly subject: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Whether it may sign other certificates. */
  readonly ca: boolean;
  /** How many authorities may stand between it and the leaf. */
  readonly pathLength: number;
  /** Whether it may prove who a client is (extended key usage). */
  readonly forClients: boolean;
  /** Whether it has limits that are not read here, so that it cannot be judged. */
  readonly limited: boolean;
}

/**
 * Reads a certificate.
 *
 * @throws {SyntaxError} If it is none.
 */
export function readCertificate(der: Uint8Array): CertificateContent {
  const certificate = new DerReader(der).into(SEQUENCE);
  const fields = certificate.into(SEQUENCE);
  if (fields.nextTag === VERSION) fields.take(VERSION);
  const serial = hex(fields.take(INTEGER));
  fields.take(SEQUENCE);
  const issuer = nameOf(fields.into(SEQUENCE));
  const validity = fields.into(SEQUENCE);
  const notBeforeMs = timeOf(validity);
  const notAfterMs = timeOf(validity);
  const subject = nameOf(fields.into(SEQUENCE));
  fields.take(SEQUENCE);
  let ca = false;
  let pathLength = Infinity;
  let forClients = true;
  let limited = false;
  while (!fields.done) {
    if (fields.nextTag !== EXTENSIONS) {
      fields.take(fields.nextTag);
      continue;
    }
    const extensions = fields.into(EXTENSIONS).into(SEQUENCE);
    while (!extensions.done) {
      const extension = extensions.into(SEQUENCE);
      const id = oidOf(extension.take(OBJECT_ID));
      const critical = extension.nextTag === BOOLEAN && extension.take(BOOLEAN)[0] !== 0;
      const value = new DerReader(extension.take(OCTET_STRING));
      if (id === BASIC_CONSTRAINTS) {
        const constraints = value.into(SEQUENCE);
        if (constraints.nextTag === BOOLEAN) ca = constraints.take(BOOLEAN)[0] !== 0;
        if (constraints.nextTag === INTEGER) pathLength = Number(`0x${hex(constraints.take(INTEGER))}`);
      } else if (id === EXTENDED_KEY_USAGE) {
        const usages = value.into(SEQUENCE);
        forClients = false;
        while (!usages.done) if (oidOf(usages.take(OBJECT_ID)) === CLIENT_AUTH) forClients = true;
      } else if (id === NAME_CONSTRAINTS || (critical && id !== KEY_USAGE)) {
        limited = true;
      }
    }
  }
  return { serial, issuer, subject, notBeforeMs, notAfterMs, ca, pathLength, forClients, limited };
}

/** Reads values one by one. */
class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The tag of the next value; -1 at the end. */
  get nextTag(): number {
    return this.done ? -1 : this.#bytes[this.#at];
  }

  /** The content of the next value, which has this tag. */
  take(tag: number): Uint8Array {
    if (this.nextTag !== tag) throw new SyntaxError(`The certificate has no value ${tag} where one is expected`);
    let length = this.#bytes[this.#at + 1];
    let at = this.#at + 2;
    if (length > 0x80 && length <= 0x83) {
      const digits = length - 0x80;
      length = 0;
      for (let i = 0; i < digits; i++) length = length * 256 + this.#bytes[at++];
    } else if (!(length < 0x80)) {
      throw new SyntaxError("The certificate has a length that DER does not allow");
    }
    if (!(at + length <= this.#bytes.length)) throw new SyntaxError("The certificate is cut off");
    this.#at = at + length;
    return this.#bytes.subarray(at, at + length);
  }

  into(tag: number): DerReader {
    return new DerReader(this.take(tag));
  }
}

/** A name as text: its parts from the last to the first (RFC 4514, section 2.1). */
function nameOf(sequence: DerReader): string {
  const parts: string[] = [];
  while (!sequence.done) {
    const set = sequence.into(SET);
    const values: string[] = [];
    while (!set.done) {
      const pair = set.into(SEQUENCE);
      const id = oidOf(pair.take(OBJECT_ID));
      const tag = pair.nextTag;
      const type = ATTRIBUTES[id] ?? id;
      values.push(`${type}=${escaped(textOf(tag, pair.take(tag)))}`);
    }
    parts.push(values.reverse().join("+"));
  }
  return parts.reverse().join(",");
}

function textOf(tag: number, bytes: Uint8Array): string {
  if (tag === BMP_STRING) return new TextDecoder("utf-16be").decode(bytes);
  return new TextDecoder(tag === UTF8_STRING ? "utf-8" : "latin1").decode(bytes);
}

function escaped(value: string): string {
  return value
    .replace(/[\\",+;<>]/g, "\\$&")
    .replace(/^[ #]/, "\\$&")
    .replace(/ $/, "\\ ")
    // deno-lint-ignore no-control-regex -- these are what is escaped
    .replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** UTCTime or GeneralizedTime (RFC 5280, section 4.1.2.5). */
function timeOf(reader: DerReader): number {
  const tag = reader.nextTag;
  const text = new TextDecoder().decode(reader.take(tag));
  const short = tag === UTC_TIME ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(short);
  if (found === null) throw new SyntaxError("The certificate has a time that RFC 5280 does not allow");
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function oidOf(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join(".");
}

function hex(bytes: Uint8Array): string {
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.length > 2 && digits.startsWith("00") ? digits.slice(2) : digits;
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const BMP_STRING = 0x1e;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";
const NAME_CONSTRAINTS = "2.5.29.30";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Short names of attributes: those of RFC 4514, and those that nginx and OpenSSL write. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID",
  "1.2.840.113549.1.9.1": "emailAddress",
};
