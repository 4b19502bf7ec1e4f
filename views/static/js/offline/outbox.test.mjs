import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "./outbox.js";

/** A storage as browsers have it, its names are its properties; one that takes so many characters of a text. */
function fakeStorage(most = Infinity) {
  return Object.create({
    getItem(name) {
      return this[name] ?? null;
    },
    setItem(name, value) {
      if (value.length > most) throw new Error("full");
      this[name] = value;
    },
    removeItem(name) {
      delete this[name];
    },
  });
}

/** A connection that notes what it is given. */
class FakeConnection extends EventTarget {
  sent = [];
  probes = 0;
  there = true;
  send(frame) {
    return this.there && this.sent.push(frame) > 0;
  }
  probe() {
    this.probes++;
  }
}

let room = 0; // each test is in another: what storage.js keeps in memory is the module's

function begin(context, storage = fakeStorage()) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  const connection = new FakeConnection();
  return { ...page(`room-${++room}`, connection), tick: (milliseconds) => context.mock.timers.tick(milliseconds) };
}

/** A page of the browser, in a room. */
function page(room, connection = new FakeConnection(), user = "ada") {
  const outbox = new Outbox(room, connection, user);
  outbox.add = (text, replyTo) => outbox.ask({ text, reply_to: replyTo });
  return { outbox, connection, sent: connection.sent };
}

const texts = (items) => items.map((item) => item.text);

test("messages go out in order, one at a time", (t) => {
  const { outbox, sent } = begin(t);
  for (const text of ["one", "two", "three"]) outbox.add(text);
  assert.deepEqual(sent, []);
  outbox.open();
  assert.deepEqual(texts(sent), ["one"]);
  assert.equal(sent[0].type, "send");
  assert.equal(sent[0].room, outbox.room);
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
    sent.map(({ key, room, ...frame }) => JSON.parse(JSON.stringify(frame))),
    [
      { type: "send", text: "one" },
      { type: "react", of: "1-0", emoji: "👍", on: true },
      { type: "delete", of: "1-0" },
    ],
  );
});

test("what waits survives the page", (t) => {
  const { outbox } = begin(t);
  outbox.add("one", "1-0");
  const next = page(outbox.room);
  next.outbox.open();
  assert.deepEqual(texts(next.sent), ["one"]);
  assert.equal(next.sent[0].reply_to, "1-0");
  assert.equal(next.sent[0].key, outbox.items[0].key);
});

test("what one user left is not sent as another, and goes out when they are back", (t) => {
  const { outbox } = begin(t);
  outbox.add("Ada's");
  for (const user of ["eve", ""]) {
    const other = page(outbox.room, new FakeConnection(), user);
    other.outbox.open();
    assert.deepEqual([other.sent, other.outbox.items], [[], []]);
    assert.ok(!Outbox.rooms(user).includes(outbox.room));
  }
  assert.ok(Outbox.rooms("ada").includes(outbox.room));
  const back = page(outbox.room);
  back.outbox.open();
  assert.deepEqual(texts(back.sent), ["Ada's"]);
});

test("a page does not send what another page writes meanwhile", (t) => {
  const { outbox, sent } = begin(t);
  outbox.open();
  page(outbox.room).outbox.ask({ text: "theirs" });
  outbox.changed();
  outbox.add("mine");
  assert.deepEqual(texts(sent), ["mine"]);
  assert.deepEqual(texts(outbox.items), ["theirs", "mine"]);
});

test("connected anew a page sends what another page left, which may have been closed", (t) => {
  const { outbox, connection, sent } = begin(t);
  outbox.open();
  page(outbox.room).outbox.ask({ text: "theirs" });
  outbox.shut();
  connection.dispatchEvent(new CustomEvent("hello", { detail: {} }));
  assert.deepEqual(texts(sent), ["theirs"]);
});

test("what is written in one moment, or after the clock was set back, is in the order it was written", (t) => {
  const { outbox } = begin(t);
  t.mock.timers.setTime(1_000_000);
  for (let i = 0; i < 20; i++) outbox.add(String(i));
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 500_000 });
  outbox.add("20");
  assert.deepEqual(texts(outbox.items), Array.from({ length: 21 }, (_, i) => String(i)));
});

test("what an older page left, all under one name, is sent", (t) => {
  const storage = fakeStorage();
  const list = [{ key: "a", text: "one", at: 1, state: "waiting" }, { key: "b", text: "two", at: 2, state: "failed", why: "Too long." }];
  storage.setItem(`burble:outbox:room-${room + 1}`, JSON.stringify(list));
  const { outbox, sent } = begin(t, storage);
  assert.deepEqual(outbox.items, list);
  outbox.open();
  outbox.settle(sent[0].key);
  outbox.settle("b");
  assert.deepEqual(texts(sent), ["one"]);
  assert.deepEqual(Object.keys(storage), []);
});

test("a storage that is full has what it had, and the rest is in memory", (t) => {
  const storage = fakeStorage(200);
  const { outbox, sent } = begin(t, storage);
  outbox.add("one");
  outbox.add("x".repeat(200));
  outbox.add("three");
  assert.deepEqual(outbox.items.map(({ text }) => text.length), [3, 200, 5]);
  assert.equal(Object.keys(storage).length, 2);
  outbox.open();
  for (let i = 0; i < 3; i++) outbox.settle(sent[i].key);
  assert.deepEqual(sent.map(({ text }) => text.length), [3, 200, 5]);
  assert.deepEqual(outbox.items, []);
  assert.deepEqual(Object.keys(storage), []);
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
  const { outbox, sent, tick } = begin(t);
  outbox.add("sent");
  outbox.open();
  outbox.add("never sent");
  outbox.shut();
  tick(24 * 3_600_000);
  const next = page(outbox.room);
  const later = next.outbox;
  later.open();
  assert.deepEqual(texts(next.sent), ["never sent"]);
  assert.deepEqual([later.items[0].state, later.items[0].why], ["failed", "An attempt over a day ago may have gone through."]);
  later.settle(next.sent[0].key);
  later.retry(sent[0].key);
  assert.deepEqual(texts(next.sent), ["never sent", "sent"]);
});

test("when an answer does not come the connection is looked at, and the message sent again", (t) => {
  const { outbox, connection, sent, tick } = begin(t);
  outbox.open();
  const { key } = outbox.add("one");
  for (let times = 1; times < 4; times++) {
    assert.equal(sent.length, times);
    tick(9_999);
    assert.equal(sent.length, times);
    tick(1);
    assert.equal(connection.probes, times);
  }
  assert.ok(sent.every((frame) => frame.key === key));
  outbox.settle(key);
  tick(60_000);
  assert.deepEqual([connection.probes, sent.length], [3, 4]);
});

test("without a storage that works it keeps messages in memory", (t) => {
  const broken = {
    getItem() {
      throw new Error("blocked");
    },
    setItem() {
      throw new Error("blocked");
    },
    removeItem() {
      throw new Error("blocked");
    },
  };
  for (const storage of [broken, undefined]) {
    const { outbox, sent } = begin(t, storage ?? null);
    outbox.add("one");
    outbox.open();
    assert.deepEqual(texts(sent), ["one"]);
    outbox.settle(sent[0].key);
    assert.deepEqual(outbox.items, []);
    t.mock.timers.reset();
  }
});
