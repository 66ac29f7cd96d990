/**
 * The examples of RFC 7541, appendix C.
 *
 * @module
 */

/** One block of a sequence that a decoder reads. */
export interface HpackExample {
  readonly block: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The dynamic table after it, newest first. */
  readonly table: readonly (readonly [name: string, value: string])[];
  /** Octets that the table then counts. */
  readonly tableBytes: number;
}

/** Blocks for one decoder, in their order. */
export interface HpackSequence {
  readonly section: string;
  readonly maxTableBytes: number;
  readonly examples: readonly HpackExample[];
}

const get = [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "www.example.com"]] as const;
const authority = [":authority", "www.example.com"] as const;
const noCache = ["cache-control", "no-cache"] as const;
const custom = ["custom-key", "custom-value"] as const;
const date21 = ["date", "Mon, 21 Oct 2013 20:13:21 GMT"] as const;
const date22 = ["date", "Mon, 21 Oct 2013 20:13:22 GMT"] as const;
const location = ["location", "https://www.example.com"] as const;
const isPrivate = ["cache-control", "private"] as const;
const cookie = ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"] as const;
const gzip = ["content-encoding", "gzip"] as const;

function requests(section: string, blocks: readonly string[]): HpackSequence {
  return {
    section,
    maxTableBytes: 4096,
    examples: [
      { block: blocks[0], fields: get, table: [authority], tableBytes: 57 },
      { block: blocks[1], fields: [...get, noCache], table: [noCache, authority], tableBytes: 110 },
      {
        block: blocks[2],
        fields: [[":method", "GET"], [":scheme", "https"], [":path", "/index.html"], authority, custom],
        table: [custom, noCache, authority],
        tableBytes: 164,
      },
    ],
  };
}

function responses(section: string, blocks: readonly string[]): HpackSequence {
  return {
    section,
    maxTableBytes: 256,
    examples: [
      {
        block: blocks[0],
        fields: [[":status", "302"], isPrivate, date21, location],
        table: [location, date21, isPrivate, [":status", "302"]],
        tableBytes: 222,
      },
      {
        block: blocks[1],
        fields: [[":status", "307"], isPrivate, date21, location],
        table: [[":status", "307"], location, date21, isPrivate],
        tableBytes: 222,
      },
      {
        block: blocks[2],
        fields: [[":status", "200"], isPrivate, date22, location, gzip, cookie],
        table: [cookie, gzip, date22],
        tableBytes: 215,
      },
    ],
  };
}

/** Sections C.2.1, C.2.2, C.2.4 and C.3 to C.6. */
export const HPACK_SEQUENCES: readonly HpackSequence[] = [
  {
    section: "C.2.1",
    maxTableBytes: 4096,
    examples: [{
      block: "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
      fields: [["custom-key", "custom-header"]],
      table: [["custom-key", "custom-header"]],
      tableBytes: 55,
    }],
  },
  {
    section: "C.2.2",
    maxTableBytes: 4096,
    examples: [{
      block: "040c2f73616d706c652f70617468",
      fields: [[":path", "/sample/path"]],
      table: [],
      tableBytes: 0,
    }],
  },
  {
    section: "C.2.4",
    maxTableBytes: 4096,
    examples: [{ block: "82", fields: [[":method", "GET"]], table: [], tableBytes: 0 }],
  },
  requests("C.3", [
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
  ]),
  requests("C.4", [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
  ]),
  responses("C.5", [
    "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54" +
    "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
    "4803333037c1c0bf",
    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a" +
    "584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
  ]),
  responses("C.6", [
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f36" +
    "72c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
  ]),
];
