import assert from "node:assert/strict";
import test from "node:test";
import { ReadMarker, StoredReadMarkers, StoredRooms } from "./rooms.js";

function makeMarker(t, id = "1-0") {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const sent = [];
  const connection = { isUp: true };
  const marker = new ReadMarker(id, (id) => connection.isUp && sent.push(id) > 0);
  return { marker, sent, connection, tick: (milliseconds) => t.mock.timers.tick(milliseconds) };
}

test("the first marker is sent immediately, and later ones at most every 2 s", (t) => {
  const { marker, sent, tick } = makeMarker(t);
  for (const id of ["2-0", "3-0", "4-0"]) marker.moveTo(id);
  assert.deepEqual(sent, ["2-0"]);
  tick(2_000);
  assert.deepEqual(sent, ["2-0", "4-0"]);
  tick(10_000);
  assert.deepEqual(sent, ["2-0", "4-0"]);
});

test("the marker follows other devices, and never moves back", (t) => {
  const { marker, sent, tick } = makeMarker(t, "5-0");
  assert.equal(marker.moveTo("4-0"), false);
  marker.sync("9-0");
  marker.sync("7-0");
  assert.equal(marker.id, "9-0");
  assert.equal(marker.moveTo("8-0"), false);
  tick(5_000);
  assert.deepEqual(sent, []);
});

test("flush sends a marker that could not be sent before", (t) => {
  const { marker, sent, connection, tick } = makeMarker(t);
  connection.isUp = false;
  marker.moveTo("2-0");
  tick(5_000);
  connection.isUp = true;
  marker.flush();
  assert.deepEqual(sent, ["2-0"]);
});

function setLocalStorage(t, storage) {
  const before = Object.getOwnPropertyDescriptor(globalThis, "localStorage");
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  t.after(() => (before ? Object.defineProperty(globalThis, "localStorage", before) : delete globalThis.localStorage));
}

test("a marker belongs to one room and one user", (t) => {
  const values = new Map();
  setLocalStorage(t, { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value), removeItem: (key) => values.delete(key) });
  const markers = new StoredReadMarkers({ id: "ada" });
  markers.set("lobby", "5-0");
  assert.equal(markers.get("lobby"), "5-0");
  assert.equal(markers.get("kitchen"), "0-0");
  assert.equal(new StoredReadMarkers({ id: "bob" }).get("lobby"), "0-0");
  assert.equal(new StoredReadMarkers({ id: "ada" }).get("lobby"), "5-0");
});

test("without localStorage, markers are kept while the page is open", (t) => {
  setLocalStorage(t, undefined);
  const markers = new StoredReadMarkers({ id: "ada" });
  assert.equal(markers.get("attic"), "0-0");
  markers.set("attic", "5-0");
  assert.equal(markers.get("attic"), "5-0");
});

test("the stored list of rooms belongs to one user, and has the newest state of each room", (t) => {
  const values = new Map();
  setLocalStorage(t, { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value), removeItem: (key) => values.delete(key) });
  const room = (name, last, fields) => ({ room: name, last, read: null, unread: 0, present: 0, ...fields });
  const stored = new StoredRooms({ id: "ada" });
  assert.deepEqual(stored.merge([room("lobby", "5-0", { present: 3 })]), [room("lobby", "5-0")], "nobody is known to be present");

  stored.save([room("lobby", "5-0", { read: "4-0", unread: 1, present: 3 }), room("attic", "9-0")]);
  assert.deepEqual(stored.merge([room("lobby", "3-0"), room("new", "1-0")]), [room("lobby", "5-0", { read: "4-0", unread: 1 }), room("new", "1-0"), room("attic", "9-0")]);
  assert.deepEqual(stored.merge([room("lobby", "6-0")])[0], room("lobby", "6-0"), "the page is newer");

  new StoredRooms({ id: "ada" }).save([room("lobby", "5-0", { read: "5-0" })]);
  new StoredRooms({ id: "ada" }).save([room("lobby", "4-0", { read: "4-0" })]); // a tab that has slept
  assert.deepEqual(stored.merge([])[1], room("lobby", "5-0", { read: "5-0" }));

  assert.deepEqual(new StoredRooms({ id: "bob" }).merge([]), []);
  new StoredRooms(null).save([]);
  assert.deepEqual(stored.merge([]), []);
  stored.save(Array.from({ length: 150 }, (_, n) => room(`room-${n}`, `${n}-0`)));
  assert.deepEqual([stored.merge([]).length, stored.merge([])[0].room], [100, "room-149"]);
});
