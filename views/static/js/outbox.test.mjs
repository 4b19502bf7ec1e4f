import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "./outbox.js";

class FakeStorage {
  #items = new Map();
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  setItem(name, value) {
    this.#items.set(name, value);
  }
}

function begin(context, storage = new FakeStorage()) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const sent = [];
  const outbox = new Outbox("lobby", { storage, transmit: (frame) => sent.push(frame) > 0 });
  return { outbox, sent, storage, tick: (milliseconds) => context.mock.timers.tick(milliseconds) };
}

const texts = (items) => items.map((item) => item.text);

test("messages go out in order, one at a time", (t) => {
  const { outbox, sent } = begin(t);
  for (const text of ["one", "two", "three"]) outbox.add(text);
  assert.deepEqual(sent, []);
  outbox.open();
  assert.deepEqual(texts(sent), ["one"]);
  assert.equal(sent[0].type, "send");
  assert.equal(sent[0].room, "lobby");
  outbox.settle(sent[0].key);
  outbox.settle(sent[1].key);
  assert.deepEqual(texts(sent), ["one", "two", "three"]);
  outbox.settle(sent[2].key);
  assert.deepEqual(outbox.items, []);
});

test("a message that lost its connection goes out again under the same key", (t) => {
  const { outbox, sent } = begin(t);
  outbox.open();
  outbox.add("one");
  outbox.shut();
  outbox.open();
  assert.equal(sent.length, 2);
  assert.equal(sent[0].key, sent[1].key);
});

test("changes of messages go the same way, in order with them", (t) => {
  const { outbox, sent } = begin(t);
  outbox.add("one");
  outbox.ask({ type: "react", of: "1-0", emoji: "👍", on: true });
  outbox.ask({ type: "delete", of: "1-0" });
  outbox.open();
  for (let i = 0; i < 3; i++) outbox.settle(sent[i].key);
  assert.deepEqual(
    sent.map(({ key, ...frame }) => JSON.parse(JSON.stringify(frame))),
    [
      { type: "send", room: "lobby", text: "one" },
      { type: "react", room: "lobby", of: "1-0", emoji: "👍", on: true },
      { type: "delete", room: "lobby", of: "1-0" },
    ],
  );
});

test("what waits survives the page", (t) => {
  const { outbox, storage } = begin(t);
  outbox.add("one", "1-0");
  const sent = [];
  const next = new Outbox("lobby", { storage, transmit: (frame) => sent.push(frame) > 0 });
  next.open();
  assert.deepEqual(texts(sent), ["one"]);
  assert.equal(sent[0].reply_to, "1-0");
  assert.equal(sent[0].key, outbox.items[0].key);
});

test("a page does not send what another page writes meanwhile", (t) => {
  const { outbox, sent, storage } = begin(t);
  outbox.open();
  const other = new Outbox("lobby", { storage, transmit: () => false });
  other.add("theirs");
  outbox.changed();
  outbox.add("mine");
  assert.deepEqual(texts(sent), ["mine"]);
  assert.deepEqual(texts(outbox.items), ["theirs", "mine"]);
});

test("rate limited, it goes on by itself when it may", (t) => {
  const { outbox, sent, tick } = begin(t);
  outbox.open();
  const { key } = outbox.add("one");
  outbox.refused({ code: "rate_limited", message: "slow down", key, retry_after_ms: 1_500 });
  tick(1_400);
  assert.equal(sent.length, 1);
  tick(100);
  assert.equal(sent.length, 2);
  assert.equal(sent[1].key, key);
});

test("full storage keeps messages waiting, says so, and tries again", (t) => {
  const { outbox, sent, tick } = begin(t);
  outbox.open();
  const { key } = outbox.add("one");
  outbox.add("two");
  outbox.refused({ code: "full", message: "full", key });
  assert.equal(outbox.reason, "full");
  assert.equal(outbox.items[0].state, "waiting");
  tick(30_000);
  assert.deepEqual(texts(sent), ["one", "one"]);
  outbox.settle(key);
  assert.equal(outbox.reason, "");
  assert.deepEqual(texts(sent), ["one", "one", "two"]);
});

test("storage away: sent as soon as it is back", (t) => {
  const { outbox, sent } = begin(t);
  outbox.open();
  const { key } = outbox.add("one");
  outbox.refused({ code: "unavailable", message: "away", key });
  assert.equal(outbox.reason, "away");
  outbox.open();
  assert.equal(sent.length, 2);
});

test("a refusal that waiting cannot mend fails the message, and the next goes on", (t) => {
  const { outbox, sent } = begin(t);
  outbox.open();
  const { key } = outbox.add("one");
  outbox.add("two");
  outbox.refused({ code: "too_long", message: "Too long.", key });
  assert.deepEqual([outbox.items[0].state, outbox.items[0].why], ["failed", "Too long."]);
  assert.deepEqual(texts(sent), ["one", "two"]);
  outbox.settle(sent[1].key);
  outbox.retry(key);
  assert.equal(sent[2].key, key);
  outbox.refused({ code: "too_long", message: "Too long.", key });
  outbox.settle(key);
  assert.deepEqual(outbox.items, []);
});

test("what was sent a day ago, and not answered, is left to its writer", (t) => {
  const { outbox, sent, tick, storage } = begin(t);
  outbox.add("sent");
  outbox.open();
  outbox.add("never sent");
  outbox.shut();
  tick(24 * 3_600_000);
  const later = new Outbox("lobby", { storage, transmit: (frame) => sent.push(frame) > 0 });
  later.open();
  assert.deepEqual(texts(sent), ["sent", "never sent"]);
  assert.deepEqual([later.items[0].state, later.items[0].why], ["failed", "It was sent more than a day ago, and may have arrived."]);
  later.settle(sent[1].key);
  later.retry(sent[0].key);
  assert.deepEqual(texts(sent), ["sent", "never sent", "sent"]);
});

test("an answer that does not come is told", (t) => {
  const { outbox, tick } = begin(t);
  let silent = 0;
  outbox.addEventListener("silent", () => silent++);
  outbox.open();
  const { key } = outbox.add("one");
  tick(10_000);
  assert.equal(silent, 1);
  outbox.settle(key);
  tick(60_000);
  assert.equal(silent, 1);
});

test("without a storage that works it keeps messages in memory", (t) => {
  const broken = {
    getItem() {
      throw new Error("blocked");
    },
    setItem() {
      throw new Error("blocked");
    },
  };
  for (const storage of [broken, undefined]) {
    const { outbox, sent } = begin(t, storage);
    outbox.add("one");
    outbox.open();
    assert.deepEqual(texts(sent), ["one"]);
    outbox.settle(sent[0].key);
    assert.deepEqual(outbox.items, []);
    t.mock.timers.reset();
  }
});
