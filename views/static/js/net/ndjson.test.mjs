import assert from "node:assert/strict";
import test from "node:test";
import { readNDJSON } from "./ndjson.js";

async function read(...chunks) {
  const encoder = new TextEncoder();
  const values = [];
  const bytes = chunks.map((chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : chunk));
  for await (const value of readNDJSON(ReadableStream.from(bytes))) values.push(value);
  return values;
}

test("a line may span several chunks", async () => {
  assert.deepEqual(await read('{"a":1}\n{"a":2}\n'), [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(await read('{"a"', ":1}\n\n", '{"a":2}'), [{ a: 1 }, { a: 2 }]);
  const bytes = new TextEncoder().encode('{"a":"é"}\n');
  assert.deepEqual(await read(bytes.slice(0, 7), bytes.slice(7)), [{ a: "é" }], "the chunks split a character");
  assert.deepEqual(await read(), []);
});
