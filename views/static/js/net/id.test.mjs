import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";
import { compareIDs, idOf, newKey, timeOf } from "./id.js";

test("compareIDs compares entry IDs as numbers, not as text", () => {
  const ids = ["0-0", "999-3", "1000-0", "1000-2", "1000-10", "1732281600000-0", "1732281600000-1"];
  for (let i = 1; i < ids.length; i++) {
    assert.ok(compareIDs(ids[i - 1], ids[i]) < 0, ids[i]);
    assert.ok(compareIDs(ids[i], ids[i - 1]) > 0, ids[i]);
    assert.equal(compareIDs(ids[i], ids[i]), 0);
  }
});

test("idOf and timeOf accept a cursor or an entry ID", () => {
  assert.equal(idOf("1732281600000-5@k3x"), "1732281600000-5");
  assert.equal(idOf("1732281600000-5"), "1732281600000-5");
  assert.equal(timeOf("1732281600000-5@k3x"), 1732281600000);
});

test("newKey returns a random UUID in secure and insecure contexts", () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const insecure = { getRandomValues: (bytes) => webcrypto.getRandomValues(bytes) };
  for (let i = 0; i < 100; i++) {
    assert.match(newKey(insecure), uuid);
    assert.match(newKey(webcrypto), uuid);
  }
  assert.notEqual(newKey(insecure), newKey(insecure));
});
