import assert from "node:assert/strict";
import test from "node:test";
import { StatusLine, statusOf } from "./status-line.js";

const live = { connection: "live", behind: 0, storageAway: false, refusal: "", waiting: 0, failed: 0, failedRoom: "", attached: true };

const cases = [
  [{}, "live", "Up to date"],
  [{ connection: "connecting" }, "connecting", "Connecting…"],
  [{ connection: "connecting", waiting: 1 }, "connecting", "Connecting, 1 unsent"],
  [{ connection: "connecting", blocked: "Blocked by a proxy setting", waiting: 1 }, "connecting", "Blocked by a proxy setting, 1 unsent"],
  [{ connection: "offline", blocked: "Blocked by a proxy setting" }, "offline", "Offline"],
  [{ connection: "catching-up" }, "catching-up", "Catching up…"],
  [{ connection: "catching-up", waiting: 2 }, "catching-up", "Catching up, 2 unsent"],
  [{ connection: "catching-up", behind: 214 }, "catching-up", "Catching up, 214 to go"],
  [{ connection: "catching-up", behind: 7, waiting: 2 }, "catching-up", "Catching up, 7 to go, 2 unsent"],
  [{ connection: "asleep" }, "asleep", "Paused"],
  [{ connection: "offline" }, "offline", "Offline"],
  [{ connection: "offline", waiting: 2, failed: 1 }, "offline", "Offline, 2 unsent"],
  [{ waiting: 1 }, "sending", "Sending…"],
  [{ waiting: 3 }, "sending", "Sending 3…"],
  [{ waiting: 1, refusal: "full" }, "full", "Chat storage is full, 1 unsent"],
  [{ storageAway: true }, "away", "Chat storage is down"],
  [{ waiting: 1, refusal: "away" }, "away", "Chat storage is down, 1 unsent"],
  [{ failed: 1 }, "failed", "1 message not sent"],
  [{ failed: 2, attached: false }, "failed", "2 messages not sent"],
  [{ failed: 1, failedRoom: "#tea" }, "failed", "1 message not sent"],
  [{ failedRoom: "#tea" }, "failed", "A message in #tea was not sent"],
  [{ attached: false }, "older", "Viewing older messages"],
];

for (const [facts, state, text] of cases) {
  test(`${JSON.stringify(facts)} reads "${text}"`, () => {
    const status = statusOf({ ...live, ...facts });
    assert.deepEqual([status.state, status.text], [state, text]);
  });
}

test("'Up to date' and 'Offline' are shown without delay", () => {
  assert.equal(statusOf(live).delay, 0);
  assert.equal(statusOf({ ...live, connection: "offline" }).delay, 0);
});

/** Returns a status line and the texts that a screen reader announces. */
function makeLine(context) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const announced = [];
  let content = "";
  const element = {
    dataset: {},
    ariaLive: null,
    get textContent() {
      return content;
    },
    set textContent(text) {
      content = text;
      if (this.ariaLive !== "off") announced.push(text);
    },
  };
  const line = new StatusLine(element);
  const translate = (text) => (content = text); // a translation by the browser is not announced
  return { element, line, announced, translate, tick: (milliseconds) => context.mock.timers.tick(milliseconds) };
}

test("a brief interruption is not shown", (t) => {
  const { line, announced, tick } = makeLine(t);
  line.update({ connection: "live" });
  tick(1);
  line.update({ connection: "connecting" });
  tick(300);
  line.update({ connection: "catching-up" });
  tick(300);
  line.update({ connection: "live" });
  tick(10_000);
  assert.deepEqual(announced, ["Up to date"]);
});

test("a status that the browser has translated is not announced again", (t) => {
  const { line, announced, translate, tick } = makeLine(t);
  line.update({ connection: "live" });
  tick(1);
  translate("Aktuell");
  line.update({ connection: "connecting" });
  tick(300);
  line.update({ connection: "live" });
  tick(10_000);
  assert.deepEqual(announced, ["Up to date"]);
});

test("a screen reader announces catching up once, and then each new status", (t) => {
  const { element, line, announced, tick } = makeLine(t);
  line.update({ connection: "catching-up", behind: 300 });
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
  assert.deepEqual(announced, ["Catching up, 300 to go", "Up to date", "1 message not sent", "2 messages not sent"]);
});
