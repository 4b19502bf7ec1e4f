import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "./outbox.js";

/** Returns a fake localStorage that refuses values above maxLength. As in a browser, its keys are properties. */
function fakeStorage(maxLength = Infinity) {
  return Object.create({
    getItem(key) {
      return this[key] ?? null;
    },
    setItem(key, value) {
      if (value.length > maxLength) throw new Error("full");
      this[key] = value;
    },
    removeItem(key) {
      delete this[key];
    },
  });
}

let serverTime = 0; // tick advances this and the device's clock

/** FakeConnection records frames. */
class FakeConnection extends EventTarget {
  sent = [];
  probes = 0;
  renewals = 0;
  hasTime = true;
  isOpen = true;
  send(frame) {
    return this.isOpen && this.sent.push(frame) > 0;
  }
  probe() {
    this.probes++;
  }
  get serverTime() {
    return this.hasTime ? serverTime : undefined;
  }
  renew() {
    this.renewals++;
  }
}

let room = 0; // number of the test's room, different in each test, because the memory of storage.js outlives a test

/** Opens a room in a browser with this storage. */
function openBrowser(context, storage = fakeStorage()) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  const tick = (milliseconds) => {
    serverTime += milliseconds;
    context.mock.timers.tick(milliseconds);
  };
  return { ...openPage(`room-${++room}`), tick };
}

/** Opens another page in the same browser. */
function openPage(room, user = "ada") {
  const connection = new FakeConnection();
  const outbox = new Outbox(room, connection, user);
  const write = (text, replyTo) => outbox.add({ text, reply_to: replyTo });
  return { outbox, write, connection, sent: connection.sent };
}

const textsOf = (items) => items.map((item) => item.text);

test("messages are sent in order, one at a time", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  for (const text of ["one", "two", "three"]) write(text);
  assert.deepEqual(sent, []);
  outbox.open();
  assert.deepEqual(textsOf(sent), ["one"]);
  assert.equal(sent[0].type, "send");
  assert.equal(sent[0].room, outbox.room);
  outbox.remove(sent[0].key);
  outbox.remove(sent[1].key);
  assert.deepEqual(textsOf(sent), ["one", "two", "three"]);
  outbox.remove(sent[2].key);
  assert.deepEqual(outbox.items, []);
});

test("a message in flight is sent again with the same key on the next connection", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  outbox.open();
  write("one");
  outbox.close();
  outbox.open();
  assert.equal(sent.length, 2);
  assert.equal(sent[0].key, sent[1].key);
});

test("a message whose preview is refused is sent without it, with the same key", (t) => {
  const { outbox, sent } = openBrowser(t);
  outbox.open();
  outbox.add({ text: "https://example.org", preview: "1.token" });
  assert.equal(sent[0].preview, "1.token");
  outbox.refuse({ code: "bad_field", field: "preview", message: "This preview has expired.", key: sent[0].key });
  assert.equal(sent[1].preview, undefined);
  assert.deepEqual([sent[1].text, sent[1].key], [sent[0].text, sent[0].key]);
});

test("messages and changes are sent in the order in which they were added", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  write("one");
  outbox.add({ type: "react", of: "1-0", emoji: "👍", on: true });
  outbox.add({ type: "delete", of: "1-0" });
  outbox.open();
  for (let i = 0; i < 3; i++) outbox.remove(sent[i].key);
  assert.deepEqual(
    sent.map(({ key, room, ...frame }) => JSON.parse(JSON.stringify(frame))),
    [
      { type: "send", text: "one" },
      { type: "react", of: "1-0", emoji: "👍", on: true },
      { type: "delete", of: "1-0" },
    ],
  );
});

test("a waiting message survives a reload", (t) => {
  const { outbox, write } = openBrowser(t);
  write("one", "1-0");
  const next = openPage(outbox.room);
  next.outbox.open();
  assert.deepEqual(textsOf(next.sent), ["one"]);
  assert.equal(next.sent[0].reply_to, "1-0");
  assert.equal(next.sent[0].key, outbox.items[0].key);
});

test("a message is only sent by its author", (t) => {
  const { outbox, write } = openBrowser(t);
  write("Ada's");
  for (const user of ["eve", ""]) {
    const other = openPage(outbox.room, user);
    other.outbox.open();
    assert.deepEqual([other.sent, other.outbox.items], [[], []]);
    assert.ok(!Outbox.rooms(user).includes(outbox.room));
  }
  assert.ok(Outbox.rooms("ada").includes(outbox.room));
  const back = openPage(outbox.room);
  back.outbox.open();
  assert.deepEqual(textsOf(back.sent), ["Ada's"]);
});

test("a page does not send items that another open tab adds", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  outbox.open();
  openPage(outbox.room).outbox.add({ text: "theirs" });
  outbox.changed();
  write("mine");
  assert.deepEqual(textsOf(sent), ["mine"]);
  assert.deepEqual(textsOf(outbox.items), ["theirs", "mine"]);
});

test("on each connection, a page sends the items of tabs that may have been closed", (t) => {
  const { outbox, connection, sent } = openBrowser(t);
  outbox.open();
  openPage(outbox.room).outbox.add({ text: "theirs" });
  outbox.close();
  connection.dispatchEvent(new CustomEvent("hello", { detail: {} }));
  assert.deepEqual(textsOf(sent), ["theirs"]);
});

test("a message that the server does not allow fails with the server's reason, unless the user is signed out", (t) => {
  const { outbox, connection, sent, write } = openBrowser(t);
  for (const [user, why] of [[{ id: "ada", name: "Ada" }, "This room is locked."], [null, "You’re no longer signed in. Reload the page."]]) {
    connection.dispatchEvent(new CustomEvent("hello", { detail: { user } }));
    write("hi");
    const { key } = sent.at(-1);
    outbox.refuse({ code: "not_allowed", message: "This room is locked.", key });
    assert.equal(outbox.items.find((item) => item.key === key).why, why);
  }
});

test("messages stay in order within a millisecond, and when the clock is set back", (t) => {
  const { outbox, write } = openBrowser(t);
  t.mock.timers.setTime(1_000_000);
  for (let i = 0; i < 20; i++) write(String(i));
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 500_000 });
  write("20");
  assert.deepEqual(textsOf(outbox.items), Array.from({ length: 21 }, (_, i) => String(i)));
});

test("a list saved by an older release is sent", (t) => {
  const storage = fakeStorage();
  const list = [{ key: "a", text: "one", at: 1, state: "waiting" }, { key: "b", text: "two", at: 2, state: "failed", why: "Too long." }];
  storage.setItem(`burble:outbox:room-${room + 1}`, JSON.stringify(list));
  const { outbox, sent } = openBrowser(t, storage);
  assert.deepEqual(outbox.items, list);
  outbox.open();
  outbox.remove(sent[0].key);
  outbox.remove("b");
  assert.deepEqual(textsOf(sent), ["one"]);
  assert.deepEqual(Object.keys(storage), []);
});

test("items for which localStorage has no space are kept in memory", (t) => {
  const storage = fakeStorage(200);
  const { outbox, write, sent } = openBrowser(t, storage);
  write("one");
  write("x".repeat(200));
  write("three");
  assert.deepEqual(outbox.items.map(({ text }) => text.length), [3, 200, 5]);
  assert.equal(Object.keys(storage).length, 2);
  outbox.open();
  for (let i = 0; i < 3; i++) outbox.remove(sent[i].key);
  assert.deepEqual(sent.map(({ text }) => text.length), [3, 200, 5]);
  assert.deepEqual(outbox.items, []);
  assert.deepEqual(Object.keys(storage), []);
});

test("a rate-limited message is sent again after retry_after_ms", (t) => {
  const { outbox, write, sent, tick } = openBrowser(t);
  outbox.open();
  const { key } = write("one");
  outbox.refuse({ code: "rate_limited", message: "slow down", key, retry_after_ms: 1_500 });
  tick(1_400);
  assert.equal(sent.length, 1);
  tick(100);
  assert.equal(sent.length, 2);
  assert.equal(sent[1].key, key);
});

test("while the server's storage is full, messages wait and are retried", (t) => {
  const { outbox, write, sent, tick } = openBrowser(t);
  outbox.open();
  const { key } = write("one");
  write("two");
  outbox.refuse({ code: "full", message: "full", key });
  assert.equal(outbox.refusal, "full");
  assert.equal(outbox.items[0].state, "waiting");
  tick(30_000);
  assert.deepEqual(textsOf(sent), ["one", "one"]);
  outbox.remove(key);
  assert.equal(outbox.refusal, "");
  assert.deepEqual(textsOf(sent), ["one", "one", "two"]);
});

test("when the server's storage is back, messages are sent immediately", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  outbox.open();
  const { key } = write("one");
  outbox.refuse({ code: "unavailable", message: "away", key });
  assert.equal(outbox.refusal, "away");
  outbox.open();
  assert.equal(sent.length, 2);
});

test("after a permanent refusal, the message has failed and the next one is sent", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  outbox.open();
  const { key } = write("one");
  write("two");
  outbox.refuse({ code: "too_long", message: "Too long.", key });
  assert.deepEqual([outbox.items[0].state, outbox.items[0].why], ["failed", "Too long."]);
  assert.deepEqual(textsOf(sent), ["one", "two"]);
  outbox.remove(sent[1].key);
  outbox.retry(key);
  assert.equal(sent[2].key, key);
  outbox.refuse({ code: "too_long", message: "Too long.", key });
  outbox.remove(key);
  assert.deepEqual(outbox.items, []);
});

test("changes to a message that was deleted are removed", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  outbox.open();
  const edit = outbox.add({ type: "edit", of: "1-0", text: "two" });
  outbox.add({ type: "react", of: "2-0", emoji: "👍", on: true });
  outbox.add({ type: "edit", of: "3-0", text: "three" });
  outbox.refuse({ code: "not_found", message: "There is no such message.", key: edit.key });
  assert.deepEqual(outbox.items.map(({ of }) => of), ["2-0", "3-0"]);
  outbox.messageDeleted("2-0"); // while its reaction is in flight
  assert.deepEqual(sent.map(({ of }) => of), ["1-0", "2-0", "3-0"]);
  outbox.refuse({ code: "not_yours", message: "It is not yours.", key: sent[2].key });
  assert.equal(outbox.items[0].state, "failed");
  outbox.messageDeleted("3-0");
  const reply = write("a reply", "4-0");
  outbox.refuse({ code: "not_found", message: "There is no such message.", key: reply.key });
  assert.deepEqual(outbox.items.map(({ text, state }) => [text, state]), [["a reply", "failed"]], "lost a message");
});

test("a message that got no reply for a day fails, and can be retried", (t) => {
  const { outbox, write, sent, tick } = openBrowser(t);
  write("sent");
  outbox.open();
  write("never sent");
  outbox.close();
  tick(24 * 3_600_000);
  const next = openPage(outbox.room);
  const later = next.outbox;
  later.open();
  assert.deepEqual(textsOf(next.sent), ["never sent"]);
  assert.deepEqual([later.items[0].state, later.items[0].why], ["failed", "An attempt over a day ago may have gone through."]);
  later.remove(next.sent[0].key);
  later.retry(sent[0].key);
  assert.deepEqual(textsOf(next.sent), ["never sent", "sent"]);
});

test("changes to the device's clock do not make messages fail", (t) => {
  const { outbox, write, sent } = openBrowser(t);
  outbox.open();
  const { key } = write("one");
  outbox.close();
  for (const day of [1, 400, 3]) {
    t.mock.timers.setTime(day * 86_400_000);
    const next = openPage(outbox.room);
    next.outbox.open();
    assert.deepEqual([next.sent[0]?.key, next.outbox.items[0].state], [key, "waiting"], `on day ${day}`);
  }
  assert.equal(sent.length, 1);
});

test("nothing is sent until the time of the server is known", (t) => {
  const { outbox, write, connection, sent } = openBrowser(t);
  connection.hasTime = false;
  write("one");
  outbox.open();
  assert.deepEqual([connection.renewals, sent], [1, []]);
  connection.hasTime = true;
  connection.dispatchEvent(new CustomEvent("hello", { detail: {} }));
  assert.deepEqual(textsOf(sent), ["one"]);
});

test("without a reply, the outbox probes the connection and sends the message again", (t) => {
  const { outbox, write, connection, sent, tick } = openBrowser(t);
  outbox.open();
  const { key } = write("one");
  for (let times = 1; times < 4; times++) {
    assert.equal(sent.length, times);
    tick(9_999);
    assert.equal(sent.length, times);
    tick(1);
    assert.equal(connection.probes, times);
  }
  assert.ok(sent.every((frame) => frame.key === key));
  outbox.remove(key);
  tick(60_000);
  assert.deepEqual([connection.probes, sent.length], [3, 4]);
});

test("without localStorage, messages are kept in memory", (t) => {
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
    const { outbox, write, sent } = openBrowser(t, storage ?? null);
    write("one");
    outbox.open();
    assert.deepEqual(textsOf(sent), ["one"]);
    outbox.remove(sent[0].key);
    assert.deepEqual(outbox.items, []);
    t.mock.timers.reset();
  }
});

test("the keys of localStorage are listed once, however many there are", (t) => {
  let listed = 0;
  const ownKeys = (target) => (listed++, Reflect.ownKeys(target));
  const { outbox, write } = openBrowser(t, new Proxy(fakeStorage(), { ownKeys }));
  for (const text of ["one", "two", "three"]) write(text);
  outbox.remove(outbox.items[0].key);
  assert.deepEqual(textsOf(outbox.items), ["two", "three"]);
  assert.equal(listed, 1);
});

test("stored values that are not items are ignored", (t) => {
  const storage = fakeStorage();
  for (const [i, value] of ["{", "null", "5", '"text"', "{}"].entries()) storage.setItem(`burble:outbox:room-${room + 1}:${i}`, value);
  storage.setItem(`burble:outbox:room-${room + 1}`, "[");
  const { outbox, write } = openBrowser(t, storage);
  write("one");
  assert.deepEqual(textsOf(outbox.items), ["one"]);
});
