import assert from "node:assert/strict";
import test from "node:test";
import { isHostChanged } from "./host.js";

const cases = [
  ["https://chat.example.org", { host: "chat.example.org" }, false],
  ["https://chat.example.org", { host: "Chat.Example.org:443" }, false],
  ["http://chat.example.org", { host: "chat.example.org:80" }, false],
  ["http://[::1]:8080", { host: "[::1]:8080" }, false],
  ["http://localhost:8080", {}, false], // a page of an older release
  ["https://chat.example.org", { host: "127.0.0.1:8080" }, true],
  ["https://chat.example.org:8443", { host: "chat.example.org" }, true], // nginx's $host has no port
  ["https://chat.example.org", { host: "burble_upstream" }, true],
  ["https://chat.example.org", { host: "" }, false],
  ["https://chat.example.org", { host: "not a host" }, true],
  ["https://chat.example.org", { host: "127.0.0.1", origins: "https://a.example https://chat.example.org" }, false],
  ["https://chat.example.org", { host: "127.0.0.1", origins: "https://a.example" }, true],
];

for (const [page, dataset, want] of cases) {
  test(`the host of ${page} ${want ? "has" : "has not"} changed in ${JSON.stringify(dataset)}`, () => assert.equal(isHostChanged(dataset, new URL(page)), want));
}
