import { Connection } from "../net/connection.js";
import { manageConnection } from "../net/wake.js";
import { OtherOutboxes } from "../offline/other-outboxes.js";
import { OUTBOX_PREFIX } from "../offline/outbox.js";
import { RoomList } from "../rooms/room-list.js";
import { StoredReadMarkers } from "../rooms/rooms.js";
import { closeWhenRead } from "./alerts.js";
import { reloadOnUserChange } from "./identity.js";
import { StatusLine } from "./status-line.js";
import { keepFormatsCurrent } from "./time.js";

/** The entry module of the home page. */

const { user, name, folded, host } = document.body.dataset;
const connection = new Connection(`${location.origin.replace("http", "ws")}/ws`);
reloadOnUserChange(connection);
const me = user ? { id: user, name, folded } : null;

const line = document.getElementById("status");
line.replaceChildren();
let status; // created on first use, because the page does not connect while there is no room to watch
const updateStatus = (facts) => (status ??= new StatusLine(line)).update(facts);
connection.addEventListener("state", ({ detail: state }) => updateStatus({ connection: state }));
connection.addEventListener("hello", () => updateStatus({ storageAway: false }));
connection.addEventListener("status", ({ detail: { redis } }) => updateStatus({ storageAway: redis === "away" }));

const { rooms } = new RoomList({ connection, me, storedMarkers: new StoredReadMarkers(me) });
closeWhenRead(rooms);
const outboxes = new OtherOutboxes(connection, user);
outboxes.addEventListener("change", () => updateStatus({ waiting: outboxes.waiting, failedRoom: outboxes.failedRoom }));
addEventListener("storage", ({ key }) => key?.startsWith(OUTBOX_PREFIX) && outboxes.changed());
if (host !== location.host) import("./host.js").then(({ checkHost }) => checkHost(connection, { update: updateStatus }));
manageConnection(connection);
keepFormatsCurrent();
if (!navigator.onLine) connection.offline();
