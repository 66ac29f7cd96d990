/**
 * The text forms of IP addresses and networks that a config may hold.
 *
 * @module
 */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** Whether `text` is an IPv4 address in dotted decimals without leading zeros, which some readers take as octal. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text) && !/(?:^|\.)0\d/.test(text);
}

/** Whether `text` is an IPv6 address, without brackets and without a zone. */
export function isIpv6(text: string): boolean {
  return text.length <= 45 && text.includes(":") && /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]`);
}

/** Whether `text` is an IP address of either family. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** Whether `text` is an IP address or a network in CIDR form, such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address, bits, ...rest] = text.split("/");
  if (rest.length > 0) return false;
  if (bits === undefined) return isIpAddress(address);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits)) return false;
  return (isIpv4(address) && Number(bits) <= 32) || (isIpv6(address) && Number(bits) <= 128);
}

/** The one form of an address in which equal addresses are equal texts. */
export function normalAddress(address: string): string {
  return isIpv6(address) ? new URL(`http://[${address}]`).hostname : address;
}

/**
 * Whether two listeners on one port would be in each other's way.
 *
 * @param a IP address or host name; undefined for all interfaces of both families.
 */
export function overlap(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  const [one, other] = [normalAddress(a.toLowerCase()), normalAddress(b.toLowerCase())];
  // A socket on "::" takes both families
  if (one === other || one === "[::]" || other === "[::]") return true;
  if (one === "0.0.0.0") return !isIpv6(b);
  if (other === "0.0.0.0") return !isIpv6(a);
  return isLocalName(one, other) || isLocalName(other, one);
}

function isLocalName(name: string, address: string): boolean {
  return name === "localhost" && (address === "127.0.0.1" || address === "[::1]");
}

/** Whether only this machine can reach what listens on `host`: 127.0.0.0/8, `::1` or `localhost`. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  if (isIpv4(host)) return host.startsWith("127.");
  return normalAddress(host) === "[::1]";
}
