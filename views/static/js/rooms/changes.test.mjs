import assert from "node:assert/strict";
import test from "node:test";

globalThis.document ??= { addEventListener() {}, documentElement: { lang: "en" } };
globalThis.addEventListener ??= () => {};
const { lineOf, refusalAfter } = await import("./changes.js");

const ada = { id: "1", name: "Ada" };
const bob = { id: "2", name: "Bob" };

test("each change of a room or a member has a line", () => {
  for (const [entry, want] of [
    [{ kind: "member", user: ada, member: bob, role: "member" }, "Ada added Bob"],
    [{ kind: "member", user: bob, member: bob, role: "member" }, "Bob joined"],
    [{ kind: "member", user: bob, member: bob, role: "none" }, "Bob left"],
    [{ kind: "member", user: ada, member: bob, role: "none", reason: "spam" }, "Ada removed Bob: spam"],
    [{ kind: "member", user: ada, member: bob, role: "moderator" }, "Ada made Bob a moderator"],
    [{ kind: "member", user: ada, member: ada, role: "moderator" }, "Ada became a moderator"],
    [{ kind: "member", user: ada, member: bob, role: "member", muted_until: "2999-12-01T09:00:00Z" }, "Ada muted Bob"],
    [{ n: 1, kind: "room", user: ada, title: "Launch", archived: false, locked: false }, "Ada created the room “Launch”"],
    [{ n: 1, kind: "room", user: ada, title: "", archived: false, locked: false }, "Ada created the room"],
    [{ kind: "room", user: ada, title: "Launch", archived: false, locked: true }, "Ada changed the settings of the room: locked, titled “Launch”"],
    [{ kind: "room", user: ada, title: "", archived: false, locked: false }, "Ada changed the settings of the room: open"],
  ]) {
    assert.equal(lineOf(entry), want);
  }
  assert.match(lineOf({ kind: "member", user: ada, member: bob, role: "member", muted_until: "2026-12-01T09:00:00Z" }), /^Ada muted Bob until .*2026/);
});

test("refusalAfter returns why the room refuses the user's messages after a change", () => {
  for (const [entry, want] of [
    [{ kind: "room", archived: true, locked: true }, "This room is archived. Nobody may post."],
    [{ kind: "room", archived: false, locked: true }, "This room is locked. Only moderators may post."],
    [{ kind: "room", archived: false, locked: false }, ""],
    [{ kind: "member", member: ada, role: "member", muted_until: "2026-12-01T09:00:00Z" }, undefined],
    [{ kind: "member", member: bob, role: "member" }, ""],
    [{ kind: "member", member: bob, role: "member", muted_until: "2999-12-01T09:00:00Z" }, "You are muted in this room."],
  ]) {
    assert.equal(refusalAfter(entry, bob.id), want);
  }
  assert.match(refusalAfter({ kind: "member", member: bob, muted_until: "2026-12-01T09:00:00Z" }, bob.id), /^You are muted in this room until .*2026/);
});
