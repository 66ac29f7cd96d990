/**
 * HTTP-date in its three forms (RFC 9110, section 5.6.7). `Date.parse` accepts far more than these, and a date that is
 * not an HTTP-date must be ignored, not guessed.
 *
 * @module
 */

/**
 * Parses an HTTP-date.
 *
 * @param value Value of a field such as If-Modified-Since.
 * @param nowMs The current time, which gives two-digit years their century.
 * @returns Milliseconds since 1970, or undefined if the value is not an HTTP-date.
 */
export function parseHttpDate(value: string, nowMs: number): number | undefined {
  const fixed = IMF_FIXDATE.exec(value);
  if (fixed !== null) return dateMs(Number(fixed[3]), fixed[2], Number(fixed[1]), fixed[4]);
  const asctime = ASCTIME.exec(value);
  if (asctime !== null) return dateMs(Number(asctime[4]), asctime[1], Number(asctime[2]), asctime[3]);
  const rfc850 = RFC_850.exec(value);
  if (rfc850 === null) return undefined;
  const thisYear = new Date(nowMs).getUTCFullYear();
  let year = thisYear - thisYear % 100 + Number(rfc850[3]);
  // More than 50 years in the future means the last century (RFC 9110, section 5.6.7).
  if (year > thisYear + 50) year -= 100;
  return dateMs(year, rfc850[2], Number(rfc850[1]), rfc850[4]);
}

/**
 * Formats a time as an HTTP-date of the preferred form; undefined for years that this form cannot express.
 *
 * @param timeMs Milliseconds since 1970; fractions of a second are dropped.
 */
export function formatHttpDate(timeMs: number): string | undefined {
  if (!(timeMs >= 0 && timeMs < YEAR_10000_MS)) return undefined; // before 1970: a clock that was never set
  return new Date(timeMs).toUTCString();
}

const YEAR_10000_MS = Date.UTC(10000, 0, 1);

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const TIME = String.raw`(\d{2}:\d{2}:\d{2})`;
const MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const IMF_FIXDATE = new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ${MONTH} (\d{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(
  String.raw`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d{2})-${MONTH}-(\d{2}) ${TIME} GMT$`,
);
const ASCTIME = new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} ([ \d]\d) ${TIME} (\d{4})$`);

function dateMs(year: number, month: string, day: number, time: string): number | undefined {
  const monthIndex = MONTHS.indexOf(month) / 3;
  const [hours, minutes, seconds] = time.split(":").map(Number);
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined; // 60: a leap second
  const date = new Date(0);
  date.setUTCFullYear(year, monthIndex, day); // Date.UTC would read the years 0 to 99 as 1900 to 1999
  if (date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return undefined; // for example 31 April
  return date.setUTCHours(hours, minutes, seconds);
}
