// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { isToken } from "../../../lib/http/header_lines.ts";
import { Refusal } from "../../../lib/http/refusal.ts";
import { HeadParser } from "../../../lib/http1/head_parser.ts";
import { MalformedMessage } from "../../../lib/http1/malformed_message.ts";
import { LISTENER_LIMITS } from "../../../lib/listener/own/limits_schema.ts";
import { type ParsedRequest, parseRequest, refusalOf } from "../../../lib/listener/own/parsed_request.ts";
import { choose, seededRandom, testSeed } from "../../contract/seeded_random.ts";
import { mutated, randomHead, REQUESTS } from "../../http1/corpus.ts";
import { REFUSED } from "../../http1/hostile_requests.ts";
import { bytesOf } from "../../http1/outcome.ts";

const PEER = { address: "127.0.0.1", port: 1 };
const CONTEXT = { limits: LISTENER_LIMITS, scheme: "http", ownAuthority: "localhost:80" } as const;

/** The request that `text` begins with, why it is refused, or undefined when it is not whole. */
function read(text: string): ParsedRequest | Refusal | undefined {
  const parser = new HeadParser("request");
  const bytes = bytesOf(text);
  try {
    if (parser.parse(bytes, 0, bytes.length) < 0 || parser.head.firstLineLength === 0) return undefined;
    return parseRequest(parser.head, PEER, CONTEXT);
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    return refusalOf(error);
  }
}

Deno.test("parseRequest() refuses each hostile head with the status that the client gets", () => {
  let compared = 0;
  for (const [what, [bytes, status]] of Object.entries(REFUSED)) {
    const found = read(bytes);
    // What is too large, or never whole, or begins with empty lines is for the connection to refuse.
    if (found === undefined) continue;
    if (bytes.length > LISTENER_LIMITS.max_header_size) continue;
    compared++;
    assert(found instanceof Refusal, what);
    assertEquals(found.status, status, `${what}: ${found.cause}`);
  }
  assertEquals(compared > 50, true, `only ${compared} heads were compared`);
});

Deno.test("parseRequest() gives of any head a request that is clear, or a refusal", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const short = REQUESTS.filter((text) => text.length < 1000);
  let requests = 0;
  for (let round = 0; round < 20_000; round++) {
    const base = round % 2 === 0 ? randomHead(random, "request") : choose(random, short);
    const text = random() < 0.7 ? mutated(random, base) : base;
    const found = read(text);
    if (found === undefined) continue;
    const where = `seed ${seed}: ${JSON.stringify(text)}`;
    if (found instanceof Refusal) {
      assertEquals([400, 405, 413, 417, 431, 501, 505].includes(found.status), true, where);
      continue;
    }
    requests++;
    const { method, path, query, host, headers } = found.head;
    assert(isToken(method) && /^\/[\x21-\x7e]*$/.test(path) && !path.includes("\\"), where);
    assert(/^(?:\?[\x21-\x7e]*)?$/.test(query) && (host !== "" || found.minorVersion === 0), where);
    for (let i = 0; i < headers.length; i += 2) {
      assert(isToken(headers[i]) && headers[i] === headers[i].toLowerCase(), where);
      assert(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/.test(headers[i + 1]), where);
    }
    assertEquals(found.bodyKind === "length", found.contentLength > 0, where);
  }
  assertEquals(requests > 500, true, `only ${requests} heads were requests`);
});
