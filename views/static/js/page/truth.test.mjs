import assert from "node:assert/strict";
import test from "node:test";
import { Truth, truth } from "./truth.js";

const well = { connection: "live", behind: 0, away: false, reason: "", waiting: 0, failed: 0, unsent: "", attached: true };

const cases = [
  [{}, "live", "Up to date"],
  [{ connection: "connecting" }, "connecting", "Connecting…"],
  [{ connection: "connecting", waiting: 1 }, "connecting", "Connecting, 1 waiting to send"],
  [{ connection: "catching" }, "catching", "Catching up…"],
  [{ connection: "catching", waiting: 2 }, "catching", "Catching up, 2 waiting to send"],
  [{ connection: "catching", behind: 214 }, "catching", "Catching up, 214 to go"],
  [{ connection: "catching", behind: 7, waiting: 2 }, "catching", "Catching up, 7 to go, 2 waiting to send"],
  [{ connection: "asleep" }, "asleep", "Paused"],
  [{ connection: "offline" }, "offline", "Offline"],
  [{ connection: "offline", waiting: 2, failed: 1 }, "offline", "Offline, 2 waiting to send"],
  [{ waiting: 1 }, "sending", "Sending…"],
  [{ waiting: 3 }, "sending", "Sending 3…"],
  [{ waiting: 1, reason: "full" }, "full", "Chat storage is full, 1 waiting to send"],
  [{ away: true }, "away", "Chat storage is unavailable"],
  [{ waiting: 1, reason: "away" }, "away", "Chat storage is unavailable, 1 waiting to send"],
  [{ failed: 1 }, "failed", "1 message not sent"],
  [{ failed: 2, attached: false }, "failed", "2 messages not sent"],
  [{ failed: 1, unsent: "tea" }, "failed", "1 message not sent"],
  [{ unsent: "tea" }, "failed", "A message in #tea was not sent"],
  [{ attached: false }, "past", "Viewing older messages"],
];

for (const [facts, state, text] of cases) {
  test(`${JSON.stringify(facts)} is said as "${text}"`, () => {
    const said = truth({ ...well, ...facts });
    assert.deepEqual([said.state, said.text], [state, text]);
  });
}

test("what is well, and what is lost, is said at once", () => {
  assert.equal(truth(well).delay, 0);
  assert.equal(truth({ ...well, connection: "offline" }).delay, 0);
});

/** A truth line, and what a screen reader says of it. */
function begin(context) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const read = [];
  let written = "";
  const element = {
    dataset: {},
    ariaLive: null,
    get textContent() {
      return written;
    },
    set textContent(text) {
      written = text;
      if (this.ariaLive !== "off") read.push(text);
    },
  };
  const line = new Truth(element);
  return { element, line, read, tick: (milliseconds) => context.mock.timers.tick(milliseconds) };
}

test("what passes in a moment leaves the line as it is", (t) => {
  const { line, read, tick } = begin(t);
  line.update({ connection: "live" });
  tick(1);
  line.update({ connection: "connecting" });
  tick(300);
  line.update({ connection: "catching" });
  tick(300);
  line.update({ connection: "live" });
  tick(10_000);
  assert.deepEqual(read, ["Up to date"]);
});

test("catching up is read out once, not at each step; what comes after it is", (t) => {
  const { element, line, read, tick } = begin(t);
  line.update({ connection: "catching", behind: 300 });
  tick(1_000);
  for (const behind of [200, 100]) {
    line.update({ behind });
    tick(1_000);
    assert.equal(element.textContent, `Catching up, ${behind} to go`);
  }
  line.update({ connection: "live" });
  tick(1);
  line.update({ failed: 1 });
  tick(1);
  line.update({ failed: 2 });
  tick(1);
  assert.deepEqual(read, ["Catching up, 300 to go", "Up to date", "1 message not sent", "2 messages not sent"]);
});
