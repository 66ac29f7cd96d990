/**
 * Messages of syslog: RFC 5424 for servers, and the form of `syslog(3)` for the local socket, whose readers (journald,
 * rsyslog) know no other.
 *
 * @module
 */

/** The facilities, by their numbers. */
export const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"],
  ...["ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
] as const;

/** What every message has. */
export interface SyslogSettings {
  /**
   * Name of a facility.
   *
   * @default {"local7"}
   */
  readonly facility?: string;
  /**
   * APP-NAME: printable ASCII without spaces.
   *
   * @default {"bws"}
   */
  readonly app_name?: string;
  /**
   * HOSTNAME.
   *
   * @default {the system's}
   */
  readonly hostname?: string | undefined;
}

/** Longest message in bytes, as rsyslog has it by default; what is longer is cut. */
export const MAX_MESSAGE_BYTES = 8 * 1024;

/** Makes messages of lines. */
export class SyslogMessages {
  readonly #facility: number;
  readonly #local: boolean;
  readonly #name: string;
  readonly #hostname: string;

  /** @param options `local` chooses the form of `syslog(3)`. */
  constructor({ facility = "local7", app_name = "bws", hostname }: SyslogSettings, options: { local: boolean }) {
    this.#facility = Math.max((FACILITIES as readonly string[]).indexOf(facility), 0);
    this.#local = options.local;
    this.#name = app_name;
    this.#hostname = hostname ?? ownName();
  }

  /** The message of a line, without its line terminator. */
  message(line: Uint8Array, now: Date): Uint8Array<ArrayBuffer> {
    const priority = this.#facility * 8 + severityOf(line);
    const head = encoder.encode(
      this.#local
        ? `<${priority}>${localTime(now)} ${this.#name}[${Deno.pid}]: `
        : `<${priority}>1 ${now.toISOString()} ${this.#hostname} ${this.#name} ${Deno.pid} - - `,
    );
    const text = line.subarray(0, cutAt(line, MAX_MESSAGE_BYTES - head.length));
    const message = new Uint8Array(head.length + text.length);
    message.set(head);
    message.set(text, head.length);
    return message;
  }
}

/** The level stands at the beginning of lines of both formats; lines of other formats have none. */
function severityOf(line: Uint8Array): number {
  const begin = decoder.decode(line.subarray(0, 80));
  const level = /^(?:\{"time":"[^"]*","level":"|\d{4}-[\d:TZ.-]+ )(error|warn|info|debug)[" ]/.exec(begin)?.[1];
  return SEVERITIES[level ?? "info"];
}

/** Where a text of at most `most` bytes ends, so that no character is cut. */
function cutAt(bytes: Uint8Array, most: number): number {
  if (bytes.length <= most) return bytes.length;
  let end = most;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return end;
}

// RFC 5424, section 6.2.4: printable ASCII.
function ownName(): string {
  try {
    return Deno.hostname().replaceAll(/[^\x21-\x7e]/g, "-").slice(0, 255) || "-";
  } catch {
    // The permission is missing.
    return "-";
  }
}

/** Local time, as the readers of the local socket take it. */
function localTime(now: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${MONTHS[now.getMonth()]} ${String(now.getDate()).padStart(2, " ")} ` +
    `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SEVERITIES: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };
const encoder = new TextEncoder();
const decoder = new TextDecoder();
