import assert from "node:assert/strict";
import test from "node:test";
import { lines } from "./lines.js";

async function read(...chunks) {
  const encoder = new TextEncoder();
  const found = [];
  const bytes = chunks.map((chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : chunk));
  for await (const one of lines(ReadableStream.from(bytes))) found.push(one);
  return found;
}

test("lines are read however they are cut", async () => {
  assert.deepEqual(await read('{"a":1}\n{"a":2}\n'), [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(await read('{"a"', ":1}\n\n", '{"a":2}'), [{ a: 1 }, { a: 2 }]);
  const [one, two] = [new TextEncoder().encode('{"a":"é"}\n').slice(0, 7), new TextEncoder().encode('{"a":"é"}\n').slice(7)];
  assert.deepEqual(await read(one, two), [{ a: "é" }]);
  assert.deepEqual(await read(), []);
});
