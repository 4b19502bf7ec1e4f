import assert from "node:assert/strict";
import test from "node:test";
import { Rooms, neighborOf } from "./rooms.js";

const room = (name, last, fields) => ({ room: name, title: name, last, read: "1-0", unread: 0, mentions: 0, present: 0, ...fields });
/** Returns a message that mentions the words after each @. */
const message = (id, text, user = "bob") => ({
  id, kind: "message", user: { id: user, name: user }, text, mentions: text.match(/(?<=@)\w+/g)?.map((name) => name.toLowerCase()),
});

/** Returns the Rooms of Ada with three rooms, and the events it dispatches. */
function makeRooms() {
  const rooms = new Rooms({ id: "ada", name: "Ada", folded: "ada" });
  const events = [];
  rooms.addEventListener("mention", ({ detail }) => events.push(`${detail.room} ${detail.entry.id}`));
  rooms.addEventListener("stale", () => events.push("stale"));
  rooms.update([room("lobby", "5-0"), room("kitchen", "9-0"), room("attic", "2-0", { read: null })]);
  return { rooms, events };
}

test("messages of other users that are not in the list are counted once", () => {
  const { rooms, events } = makeRooms();
  const entries = [message("5-0", "listed"), message("6-0", "hi"), message("7-0", "hi @ADA"), message("8-0", "mine", "ada"), { id: "8-1", kind: "react", user: { id: "bob" } }];
  rooms.addEntries({ room: "lobby", entries });
  rooms.addEntries({ room: "lobby", entries });
  const { unread, mentions, last } = rooms.get("lobby");
  assert.deepEqual([unread, mentions, last], [2, 1, "8-1"]);
  assert.deepEqual(events, ["lobby 7-0"]);
});

test("a private room that was closed is not listed again by a late frame", () => {
  const { rooms } = makeRooms();
  const name = "pirvxnzkl2rcrwqtw2fee";
  rooms.update([room(name, "3-0")]);
  rooms.delete(name);
  rooms.addEntries({ room: name, entries: [message("4-0", "late")] });
  rooms.markRead(name, "4-0");
  rooms.get(name).present = 1;
  assert.ok(!rooms.sorted.some((listed) => listed.room === name));
  rooms.update([room(name, "5-0")]);
  assert.ok(rooms.sorted.some((listed) => listed.room === name), "the user is a member again");
});

test("a room never visited has no unread messages", () => {
  const { rooms } = makeRooms();
  rooms.addEntries({ room: "attic", entries: [message("3-0", "@ada")] });
  assert.equal(rooms.get("attic").unread, 0);
});

test("counts are cleared when the room is read to its end, and stale when part of it is read", () => {
  const { rooms, events } = makeRooms();
  rooms.addEntries({ room: "lobby", entries: [message("6-0", "a"), message("7-0", "b")] });
  rooms.markRead("lobby", "6-0");
  assert.equal(rooms.get("lobby").unread, 2);
  rooms.update([room("lobby", "7-0", { read: "6-0", unread: 1 })]);
  assert.equal(rooms.get("lobby").unread, 1);
  rooms.markRead("lobby", "7-0");
  assert.equal(rooms.get("lobby").unread, 0);
  rooms.markRead("lobby", "6-0");
  assert.equal(rooms.get("lobby").read, "7-0", "moved the read marker back");
  assert.deepEqual(events, ["stale"]);
});

test("an unread message that is deleted is no longer counted", () => {
  const { rooms, events } = makeRooms();
  const deletion = (id, of, user = "bob") => ({ id, of, kind: "delete", user: { id: user, name: user } });
  rooms.addEntries({ room: "lobby", entries: [message("6-0", "a"), message("7-0", "b"), deletion("8-0", "6-0"), deletion("9-0", "1-0"), deletion("10-0", "5-0", "ada")] });
  assert.equal(rooms.get("lobby").unread, 1);
  assert.deepEqual(events, []);
  rooms.addEntries({ room: "lobby", entries: [message("11-0", "@ada"), deletion("12-0", "11-0")] });
  assert.equal(rooms.get("lobby").unread, 1);
  assert.deepEqual(events, ["lobby 11-0", "stale"], "only the server knows whether it was a mention");
});

test("an edit of an unread message may add or remove a mention", () => {
  const { rooms, events } = makeRooms();
  const edit = (id, of, text, user = "bob") => ({ ...message(id, text, user), of, kind: "edit" });
  rooms.addEntries({ room: "lobby", entries: [message("6-0", "hi"), edit("7-0", "6-0", "hello"), edit("8-0", "1-0", "@ada")] });
  assert.deepEqual(events, []);
  rooms.addEntries({ room: "lobby", entries: [edit("9-0", "6-0", "hello, @ada")] });
  assert.deepEqual(events, ["stale"]);
  rooms.update([room("lobby", "9-0", { unread: 1, mentions: 1 })]);
  rooms.addEntries({ room: "lobby", entries: [edit("10-0", "6-0", "hello")] });
  assert.deepEqual(events, ["stale", "stale"], "only the server knows whether it was the mention");
});

test("a mention is unread until it is read, here or on another device, deleted or edited away", () => {
  const { rooms } = makeRooms();
  let count = 0;
  rooms.addEventListener("read", () => count++);
  rooms.addEntries({ room: "lobby", entries: ["6-0", "7-0", "8-0", "9-0"].map((id) => message(id, "@ada")) });
  const unread = () => ["6-0", "7-0", "8-0", "9-0"].filter((id) => rooms.isUnread("lobby", id)).join();
  assert.deepEqual([unread(), count], ["6-0,7-0,8-0,9-0", 0]);
  rooms.markRead("lobby", "6-0");
  assert.deepEqual([unread(), count], ["7-0,8-0,9-0", 1]);
  rooms.addEntries({ room: "lobby", entries: [{ id: "10-0", of: "8-0", kind: "delete", user: { id: "bob" } }] });
  assert.deepEqual([unread(), count], ["7-0,9-0", 2]);
  rooms.update([room("lobby", "10-0", { read: "7-0" })]);
  assert.deepEqual([unread(), count], ["9-0", 3]);
  const edit = (id, fields) => ({ id, of: "9-0", kind: "edit", user: { id: "bob" }, ...fields });
  rooms.addEntries({ room: "lobby", entries: [edit("11-0", { mentions: ["ada"] })] });
  assert.deepEqual([unread(), count], ["9-0", 3]);
  rooms.addEntries({ room: "lobby", entries: [edit("12-0")] });
  assert.deepEqual([unread(), count], ["", 4]);
  assert.ok(rooms.isUnread("unlisted", "1-0"));
  assert.equal(rooms.sorted.some(({ room }) => room === "unlisted"), false);
});

test("an outdated list does not change the counts", () => {
  const { rooms } = makeRooms();
  rooms.addEntries({ room: "lobby", entries: [message("6-0", "a")] });
  rooms.update([room("lobby", "5-0")]);
  assert.equal(rooms.get("lobby").unread, 1);
});

test("a mention that arrives after the list that counts it is dispatched, and not counted again", () => {
  const { rooms, events } = makeRooms();
  rooms.update([room("lobby", "7-0", { unread: 2, mentions: 1 })]);
  rooms.addEntries({ room: "lobby", entries: [message("6-0", "hi"), message("7-0", "hi @ada")] });
  rooms.addEntries({ room: "lobby", entries: [message("7-0", "hi @ada")] });
  const { unread, mentions } = rooms.get("lobby");
  assert.deepEqual([unread, mentions], [2, 1]);
  assert.deepEqual(events, ["lobby 7-0"]);
});

test("counts stay stale after an outdated list", () => {
  const { rooms, events } = makeRooms();
  rooms.addEntries({ room: "lobby", entries: [message("6-0", "a"), message("7-0", "b")] });
  rooms.markRead("lobby", "6-0");
  rooms.addEntries({ room: "lobby", entries: [message("8-0", "c")] });
  rooms.update([room("lobby", "7-0", { read: "6-0", unread: 1 })]);
  assert.deepEqual(events, ["stale", "stale"]);
  rooms.update([room("lobby", "8-0", { read: "6-0", unread: 2 })]);
  assert.deepEqual([rooms.get("lobby").unread, events.length], [2, 2]);
});

test("a topic moves its room to the top and becomes its title", () => {
  const { rooms } = makeRooms();
  rooms.addEntries({ room: "lobby", entries: [{ id: "10-0", kind: "topic", user: { id: "bob" }, text: "dust" }] });
  assert.deepEqual(rooms.sorted.map(({ title }) => title), ["dust", "kitchen", "attic"]);
});

test("rooms that the user has read come before others", () => {
  const { rooms } = makeRooms();
  rooms.addEntries({ room: "attic", entries: [message("10-0", "a")] });
  assert.deepEqual(rooms.sorted.map(({ room }) => room), ["kitchen", "lobby", "attic"]);
  rooms.markRead("attic", "10-0");
  assert.deepEqual(rooms.sorted.map(({ room }) => room), ["attic", "kitchen", "lobby"]);
});

test("neighborOf wraps around, and can skip rooms without unread messages", () => {
  const list = [room("a", "1-0"), room("b", "1-0", { unread: 1 }), room("c", "1-0")];
  assert.equal(neighborOf(list, "a", 1, false), "b");
  assert.equal(neighborOf(list, "a", -1, false), "c");
  assert.equal(neighborOf(list, "c", 1, false), "a");
  assert.equal(neighborOf(list, "c", 1, true), "b");
  assert.equal(neighborOf(list, "b", 1, true), undefined);
  assert.equal(neighborOf(list, "elsewhere", 1, false), "a");
});

test("a private room has the title of its last entry of kind room, whatever its topic", () => {
  const { rooms } = makeRooms();
  const name = "pabcdefghijklmnopqrst";
  rooms.update([room(name, "5-0", { title: "Launch" })]);
  rooms.addEntries({ room: name, entries: [{ id: "6-0", kind: "topic", user: { id: "bob" }, text: "tea" }] });
  assert.equal(rooms.get(name).title, "Launch");
  rooms.addEntries({ room: name, entries: [{ id: "7-0", kind: "room", user: { id: "bob" }, title: "Week two" }] });
  assert.equal(rooms.get(name).title, "Week two");
  rooms.delete(name);
  assert.ok(!rooms.sorted.some((one) => one.room === name));
});
