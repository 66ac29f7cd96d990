import type { FieldSink } from "../../lib/http2/hpack_decoder.ts";

/** Keeps the fields of the blocks that are decoded into it. */
export class NotedFields implements FieldSink {
  readonly fields: [name: string, value: string][] = [];
  readonly sensitive: string[] = [];

  field(name: string, value: string, sensitive: boolean): void {
    this.fields.push([name, value]);
    if (sensitive) this.sensitive.push(name);
  }
}

/** The octets of hexadecimal digits. */
export function octets(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
