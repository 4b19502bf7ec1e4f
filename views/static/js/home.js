import { Connection } from "./connection.js";
import { Elsewhere } from "./elsewhere.js";
import { Marks } from "./marks.js";
import { Sidebar } from "./sidebar.js";
import { storage } from "./storage.js";
import { watch } from "./wake.js";

/** The home page: the rooms, live. */

const { user, name } = document.body.dataset;
const connection = new Connection(`${location.protocol.replace("http", "ws")}//${location.host}/ws`);
const me = user ? { id: user, name } : null;
new Sidebar({ connection, me, marks: new Marks(me) });
new Elsewhere({ connection, storage });
watch(connection);
