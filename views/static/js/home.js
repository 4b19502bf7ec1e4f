import { Connection } from "./connection.js";
import { Sidebar } from "./sidebar.js";
import { watch } from "./wake.js";

/** The home page: the rooms, live. */

const { user, name } = document.body.dataset;
const connection = new Connection(`${location.protocol.replace("http", "ws")}//${location.host}/ws`);
new Sidebar({ connection, me: user ? { id: user, name } : null });
watch(connection);
