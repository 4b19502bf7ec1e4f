import assert from "node:assert/strict";
import test from "node:test";

globalThis.document ??= { addEventListener() {}, documentElement: { lang: "en" } };
globalThis.addEventListener ??= () => {};
const { lineOf, refusalAfter, refusalText } = await import("./changes.js");

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

test("changes of the room's settings and of the user decide why the room refuses messages", () => {
  const archived = "This room is archived. Nobody may post.", locked = "This room is locked. Only moderators may post.";
  const muted = "You are muted in this room.", forever = "2999-12-01T09:00:00Z";
  let reasons = { settings: "", muted: "" };
  for (const [entry, want] of [
    [{ kind: "room", archived: false, locked: true }, locked],
    [{ kind: "member", member: ada, role: "member", muted_until: forever }, locked],
    [{ kind: "member", member: bob, role: "member", muted_until: forever }, muted],
    [{ kind: "room", archived: true, locked: true }, archived],
    [{ kind: "room", archived: false, locked: true }, muted],
    [{ kind: "member", member: bob, role: "member" }, locked],
    [{ kind: "member", member: bob, role: "member", muted_until: forever }, muted],
    [{ kind: "room", archived: false, locked: false }, muted],
    [{ kind: "member", member: bob, role: "member" }, ""],
  ]) {
    reasons = refusalAfter(entry, bob.id, reasons);
    assert.equal(refusalText(reasons), want);
  }
  const { muted: text } = refusalAfter({ kind: "member", member: bob, muted_until: "2026-12-01T09:00:00Z" }, bob.id, reasons);
  assert.match(text, /^You are muted in this room until .*2026/);
});
