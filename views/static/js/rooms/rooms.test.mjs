import assert from "node:assert/strict";
import test from "node:test";
import { Rooms, stepped } from "./rooms.js";

const room = (name, last, more) => ({ room: name, title: name, last, read: "1-0", unread: 0, mentions: 0, present: 0, ...more });
const said = (id, text, user = "bob") => ({ id, kind: "message", user: { id: user, name: user }, text });

function begin() {
  const rooms = new Rooms({ id: "ada", name: "Ada" });
  const heard = [];
  rooms.addEventListener("mention", ({ detail }) => heard.push(`${detail.room} ${detail.entry.id}`));
  rooms.addEventListener("doubt", () => heard.push("doubt"));
  rooms.take([room("lobby", "5-0"), room("kitchen", "9-0"), room("attic", "2-0", { read: null })]);
  return { rooms, heard };
}

test("it counts what others wrote after what the list knew, and once", () => {
  const { rooms, heard } = begin();
  const entries = [said("5-0", "listed"), said("6-0", "hi"), said("7-0", "hi @ADA"), said("8-0", "mine", "ada"), { id: "8-1", kind: "react", user: { id: "bob" } }];
  rooms.entries({ room: "lobby", entries });
  rooms.entries({ room: "lobby", entries });
  const { unread, mentions, last } = rooms.get("lobby");
  assert.deepEqual([unread, mentions, last], [2, 1, "8-1"]);
  assert.deepEqual(heard, ["lobby 7-0"]);
});

test("nothing is unread where I have never been", () => {
  const { rooms } = begin();
  rooms.entries({ room: "attic", entries: [said("3-0", "@ada")] });
  assert.equal(rooms.get("attic").unread, 0);
});

test("reading up to the end counts as nothing unread; up to before it, the server must count", () => {
  const { rooms, heard } = begin();
  rooms.entries({ room: "lobby", entries: [said("6-0", "a"), said("7-0", "b")] });
  rooms.read("lobby", "6-0");
  assert.equal(rooms.get("lobby").unread, 2);
  rooms.take([room("lobby", "7-0", { read: "6-0", unread: 1 })]);
  assert.equal(rooms.get("lobby").unread, 1);
  rooms.read("lobby", "7-0");
  assert.equal(rooms.get("lobby").unread, 0);
  rooms.read("lobby", "6-0");
  assert.equal(rooms.get("lobby").read, "7-0", "a marker does not go back");
  assert.deepEqual(heard, ["doubt"]);
});

test("what was deleted before I read it is not unread", () => {
  const { rooms, heard } = begin();
  const gone = (id, of, user = "bob") => ({ id, of, kind: "delete", user: { id: user, name: user } });
  rooms.entries({ room: "lobby", entries: [said("6-0", "a"), said("7-0", "b"), gone("8-0", "6-0"), gone("9-0", "1-0"), gone("10-0", "5-0", "ada")] });
  assert.equal(rooms.get("lobby").unread, 1);
  assert.deepEqual(heard, []);
  rooms.entries({ room: "lobby", entries: [said("11-0", "@ada"), gone("12-0", "11-0")] });
  assert.equal(rooms.get("lobby").unread, 1);
  assert.deepEqual(heard, ["lobby 11-0", "doubt"], "whether it named me the server knows");
});

test("a list older than what came since changes nothing", () => {
  const { rooms } = begin();
  rooms.entries({ room: "lobby", entries: [said("6-0", "a")] });
  rooms.take([room("lobby", "5-0")]);
  assert.equal(rooms.get("lobby").unread, 1);
});

test("a mention that the list knew before it came is told, and not counted again", () => {
  const { rooms, heard } = begin();
  rooms.take([room("lobby", "7-0", { unread: 2, mentions: 1 })]);
  rooms.entries({ room: "lobby", entries: [said("6-0", "hi"), said("7-0", "hi @ada")] });
  rooms.entries({ room: "lobby", entries: [said("7-0", "hi @ada")] });
  const { unread, mentions } = rooms.get("lobby");
  assert.deepEqual([unread, mentions], [2, 1]);
  assert.deepEqual(heard, ["lobby 7-0"]);
});

test("a list that was asked for in doubt, and is older than what came since, is asked for again", () => {
  const { rooms, heard } = begin();
  rooms.entries({ room: "lobby", entries: [said("6-0", "a"), said("7-0", "b")] });
  rooms.read("lobby", "6-0");
  rooms.entries({ room: "lobby", entries: [said("8-0", "c")] });
  rooms.take([room("lobby", "7-0", { read: "6-0", unread: 1 })]);
  assert.deepEqual(heard, ["doubt", "doubt"]);
  rooms.take([room("lobby", "8-0", { read: "6-0", unread: 2 })]);
  assert.deepEqual([rooms.get("lobby").unread, heard.length], [2, 2]);
});

test("rooms are sorted by what came last, and have their topics", () => {
  const { rooms } = begin();
  rooms.entries({ room: "attic", entries: [{ id: "10-0", kind: "topic", user: { id: "bob" }, text: "dust" }] });
  assert.deepEqual(rooms.sorted.map((one) => one.title), ["dust", "kitchen", "lobby"]);
});

test("steps go around the ends, and over what is read", () => {
  const list = [room("a", "1-0"), room("b", "1-0", { unread: 1 }), room("c", "1-0")];
  assert.equal(stepped(list, "a", 1, false), "b");
  assert.equal(stepped(list, "a", -1, false), "c");
  assert.equal(stepped(list, "c", 1, false), "a");
  assert.equal(stepped(list, "c", 1, true), "b");
  assert.equal(stepped(list, "b", 1, true), undefined);
  assert.equal(stepped(list, "elsewhere", 1, false), "a");
});
