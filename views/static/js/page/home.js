import { Connection } from "../net/connection.js";
import { Elsewhere } from "../offline/elsewhere.js";
import { Marks } from "../rooms/marks.js";
import { PREFIX } from "../offline/outbox.js";
import { Sidebar } from "../rooms/sidebar.js";
import { Truth } from "./truth.js";
import { belong, watch } from "../net/wake.js";

/** The home page: the rooms, live. */

const { user, name } = document.body.dataset;
const connection = new Connection(`${location.protocol.replace("http", "ws")}//${location.host}/ws`);
belong(connection);
const me = user ? { id: user, name } : null;

const line = document.getElementById("truth");
line.replaceChildren();
let truth; // None while there is no room to watch: nothing is connected then.
const say = (facts) => (truth ??= new Truth(line)).update(facts);
connection.addEventListener("state", ({ detail: state }) => say({ connection: state }));
connection.addEventListener("hello", () => say({ away: false }));
connection.addEventListener("status", ({ detail: { redis } }) => say({ away: redis === "away" }));

new Sidebar({ connection, me, marks: new Marks(me) });
const elsewhere = new Elsewhere(connection, user);
elsewhere.addEventListener("change", () => say({ waiting: elsewhere.waiting, unsent: elsewhere.failed }));
addEventListener("storage", ({ key }) => key?.startsWith(PREFIX) && elsewhere.changed());
watch(connection);
if (!navigator.onLine) connection.offline();
