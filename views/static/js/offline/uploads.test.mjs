import assert from "node:assert/strict";
import test from "node:test";
import { save } from "../page/storage.js";
import { getFile, putFile } from "./file-store.js";
import { OtherOutboxes } from "./other-outboxes.js";
import { Outbox } from "./outbox.js";
import { resultOf, startUpload, sweep, upload, uploadOf } from "./uploads.js";

/** FakeConnection records frames. */
class FakeConnection extends EventTarget {
  sent = [];
  serverTime = 0;
  limits = { text: 4000, files: {} };
  send(frame) {
    return this.sent.push(frame) > 0;
  }
  probe() {}
  renew() {}
}

/** FakeRequest is an XMLHttpRequest. It receives the next of `answers`. If there is none, it waits until the test calls answer(). */
class FakeRequest {
  static answers = [];
  static all = [];
  upload = {};
  headers = {};
  open(method, url) {
    Object.assign(this, { method, url });
    FakeRequest.all.push(this);
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  getResponseHeader() {
    return this.retryAfter ?? null;
  }
  send(body) {
    this.body = body;
    const answer = FakeRequest.answers.shift();
    if (answer) queueMicrotask(() => this.answer(answer));
  }
  answer({ status, response, retryAfter }) {
    Object.assign(this, { status, response, retryAfter });
    if (status) this.onload();
    else this.onerror();
  }
  abort() {
    this.isAborted = true;
    this.onabort();
  }
}
globalThis.XMLHttpRequest = FakeRequest;

const stored = (id) => ({ status: 201, response: { id } });
const refused = (status, code, message) => ({ status, response: { error: { code, message } } });

/** Waits until a condition holds. Promises and timers of other modules run meanwhile. */
async function until(condition) {
  for (const deadline = performance.now() + 30_000; !condition(); ) {
    assert.ok(performance.now() < deadline, `timed out waiting for ${condition}`);
    await new Promise((done) => setImmediate(done));
  }
}

let count = 0;

/** Opens an outbox in a new room, in a browser without stored items. The server gives these answers to uploads. */
function openOutbox(context, ...answers) {
  const storage = Object.create({
    getItem(key) {
      return this[key] ?? null;
    },
    setItem(key, value) {
      this[key] = value;
    },
    removeItem(key) {
      delete this[key];
    },
  });
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  FakeRequest.answers = answers;
  FakeRequest.all = [];
  const connection = new FakeConnection();
  const outbox = new Outbox(`files-${++count}`, connection, "ada");
  outbox.open();
  context.after(() => outbox.close());
  return { outbox, connection, sent: connection.sent };
}

/** Returns a file that is not sent yet. */
async function attach(name, fields) {
  const file = { id: `${name}-${++count}`, name, type: "text/plain", size: 5, ...fields };
  await putFile(file.id, new Blob(["bytes"]));
  return file;
}

test("a message is sent once its files are uploaded, and before the next one", async (t) => {
  const { outbox, sent } = openOutbox(t, stored("A"), stored("B"));
  outbox.add({ text: "look", attached: [await attach("a.txt", { alt: "the first" }), await attach("b & c.txt")] });
  outbox.add({ text: "and then" });
  await until(() => sent.length);
  assert.deepEqual(
    FakeRequest.all.map(({ method, url, body }) => [method, url, body.size]),
    [["POST", `/r/${outbox.room}/files?name=a.txt`, 5], ["POST", `/r/${outbox.room}/files?name=b+%26+c.txt`, 5]],
  );
  const { key, ...frame } = sent[0];
  const files = [{ id: "A", alt: "the first" }, { id: "B" }];
  assert.deepEqual(JSON.parse(JSON.stringify(frame)), { type: "send", room: outbox.room, text: "look", files });
  outbox.remove(key);
  assert.deepEqual(sent.map(({ text }) => text), ["look", "and then"]);
});

test("a page sends messages with files that wait in another room", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { outbox, connection, sent } = openOutbox(t, stored("A"));
  outbox.close();
  outbox.add({ text: "look", attached: [await attach("a.txt")] });
  const others = new OtherOutboxes(connection, "ada", "lobby");
  assert.equal(others.waiting, 1);
  await until(() => sent.length);
  assert.deepEqual([sent[0].room, sent[0].files[0].id], [outbox.room, "A"]);
  outbox.remove(sent[0].key);
  assert.equal(others.waiting, 0);
});

test("pages of older releases do not send messages with files", async (t) => {
  const { outbox } = openOutbox(t);
  const { key } = outbox.add({ text: "", attached: [await attach("a.txt")] });
  assert.equal(outbox.items[0].state, "uploading");
  outbox.remove(key);
});

test("a message is sent again with the same key and files on the next connection", async (t) => {
  const { outbox, sent } = openOutbox(t, stored("A"));
  outbox.add({ text: "look", attached: [await attach("a.txt")] });
  await until(() => sent.length);
  outbox.close();
  outbox.open();
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[0], sent[1]);
  assert.equal(FakeRequest.all.length, 1);
});

test("a message with files waits while the server is of an older release", async (t) => {
  const { outbox, connection, sent } = openOutbox(t, stored("A"));
  const hello = (limits) => {
    connection.limits = limits;
    connection.dispatchEvent(new CustomEvent("hello", { detail: { user: { id: "ada" }, limits } }));
  };
  hello({ text: 4000 });
  outbox.add({ text: "look", attached: [await attach("a.txt")] });
  outbox.add({ text: "and then" });
  assert.deepEqual(sent.map(({ text }) => text), ["and then"]);
  outbox.remove(sent[0].key);
  outbox.close();
  hello({ text: 4000, files: {} });
  await until(() => sent.length > 1);
  assert.deepEqual([sent[1].text, sent[1].files[0].id], ["look", "A"]);
  assert.equal(FakeRequest.all.length, 1);
});

test("an upload starts again after a server of an older release has refused it", async (t) => {
  t.mock.method(Math, "random", () => 0);
  const requests = t.mock.method(globalThis, "fetch", async () => ({ ok: true }));
  const { outbox, sent } = openOutbox(t, refused(405, "not_found", "There is nothing here."), stored("A"));
  outbox.add({ text: "look", attached: [await attach("a.txt")] });
  await until(() => sent.length);
  assert.deepEqual([sent[0].files[0].id, FakeRequest.all.length], ["A", 2]);
  assert.deepEqual(requests.mock.calls.map(({ arguments: [url] }) => url), [`/r/${outbox.room}/messages?limit=1`]);
});

test("an upload to a room that no longer exists fails", async (t) => {
  t.mock.method(globalThis, "fetch", async () => ({ ok: false }));
  const { outbox } = openOutbox(t, refused(404, "not_found", "No such room."));
  outbox.add({ text: "look", attached: [await attach("a.txt")] });
  await until(() => outbox.items[0].state === "failed");
  assert.equal(outbox.items[0].why, "a.txt: No such room.");
});

test("an upload whose connection is lost starts again", async (t) => {
  t.mock.method(Math, "random", () => 0);
  const { outbox, sent } = openOutbox(t, { status: 0 }, { status: 503 }, stored("A"));
  outbox.add({ text: "look", attached: [await attach("a.txt")] });
  await until(() => FakeRequest.all.length > 0);
  outbox.close();
  outbox.open();
  await until(() => sent.length);
  assert.equal(FakeRequest.all.length, 3);
  assert.deepEqual(sent[0].files, [{ id: "A" }]);
});

test("a message whose file is refused fails, and Retry uploads the file again", async (t) => {
  const { outbox, sent } = openOutbox(t, refused(507, "full", "You have uploaded 1 GB today."));
  const { key } = outbox.add({ text: "look", attached: [await attach("a.txt")] });
  outbox.add({ text: "and then" });
  await until(() => sent.length);
  assert.equal(sent[0].text, "and then");
  assert.deepEqual([outbox.items[0].state, outbox.items[0].why], ["failed", "a.txt: You have uploaded 1 GB today."]);
  outbox.remove(sent[0].key);
  FakeRequest.answers = [stored("A")];
  outbox.retry(key);
  await until(() => sent.length === 2);
  assert.deepEqual([sent[1].key, sent[1].files[0].id], [key, "A"]);
});

test("files that the server has removed are uploaded once more", async (t) => {
  const { outbox, sent } = openOutbox(t, stored("B"));
  outbox.add({ text: "look", attached: [await attach("a.txt", { uploaded: "A" })] });
  await until(() => sent.length);
  assert.equal(FakeRequest.all.length, 0);
  assert.equal(sent[0].files[0].id, "A");
  const refusal = { code: "not_found", field: "files", message: "gone", key: sent[0].key };
  outbox.refuse(refusal);
  await until(() => sent.length === 2);
  assert.equal(sent[1].files[0].id, "B");
  outbox.refuse(refusal);
  await until(() => outbox.items[0].state === "failed");
  assert.equal(outbox.items[0].why, "The server no longer has the files.");
});

test("discarding a message aborts its upload and deletes its bytes", async (t) => {
  const { outbox, sent } = openOutbox(t);
  const file = await attach("a.txt");
  const draft = await attach("draft.txt");
  save("burble:files:ada:lobby", JSON.stringify([draft]));
  const { key } = outbox.add({ text: "look", attached: [file] });
  outbox.add({ text: "and then" });
  await until(() => FakeRequest.all.length);
  outbox.remove(key);
  await until(() => FakeRequest.all[0].isAborted);
  assert.equal(sent[0].text, "and then");
  await sweep();
  assert.equal(await getFile(file.id), undefined);
  assert.ok(await getFile(draft.id));
});

test("a message fails if this browser no longer has its file", async (t) => {
  const { outbox } = openOutbox(t);
  outbox.add({ text: "", attached: [{ id: "lost", name: "lost.txt", size: 1 }] });
  await until(() => outbox.items[0].state === "failed");
  assert.equal(outbox.items[0].why, "lost.txt: This file is no longer on this device.");
});

test("the progress of an upload is known while it runs", async (t) => {
  openOutbox(t);
  const file = await attach("a.txt");
  startUpload("lobby", file);
  await until(() => FakeRequest.all.length);
  FakeRequest.all[0].upload.onprogress({ loaded: 2, total: 5 });
  assert.deepEqual([uploadOf(file.id).state, uploadOf(file.id).progress], ["sending", 0.4]);
  assert.equal(startUpload("lobby", file), uploadOf(file.id));
  FakeRequest.all[0].answer(stored("A"));
  assert.deepEqual(await upload("lobby", { key: "1", attached: [file] }), { files: [{ id: "A", alt: undefined }] });
});

test("resultOf returns whether an upload is stored, must be retried or has failed", () => {
  assert.deepEqual(resultOf({ status: 201, body: { id: "A" } }), { id: "A" });
  for (const status of [0, 408, 429, 500, 502, 504]) assert.deepEqual(resultOf({ status, retryAfter: 2 }), { wait: 2_000 }, String(status));
  assert.deepEqual(resultOf({ status: 429, body: { error: { code: "rate_limited", message: "wait" } }, retryAfter: 1 }), { wait: 1_000 });
  assert.deepEqual(resultOf({ status: 507, body: { error: { code: "full", message: "full" } } }), { why: "full" });
  assert.deepEqual(resultOf({ status: 413 }), { why: "This file is too large." });
  assert.deepEqual(resultOf({ status: 404 }), { why: "The server refused the file (404)." });
});
