/**
 * Stores the bytes of unsent files in this browser's database, so that they survive a reload. If the database is blocked or
 * full, the bytes stay in memory, and the browser warns before the page closes.
 */

/** @type {Map<string, Blob>} the files that are not in the database, by ID */
const memory = new Map();

/** @type {Promise<IDBDatabase> | undefined} */
let database;

globalThis.addEventListener?.("beforeunload", (event) => {
  if (memory.size) event.preventDefault();
});

/** Stores a file. Returns false if it will not survive a reload. @param {string} id @param {Blob} blob */
export async function putFile(id, blob) {
  memory.set(id, blob); // until the database has it
  try {
    await access("readwrite", (files) => files.put(blob, id));
  } catch {
    return false;
  }
  if (memory.get(id) === blob) memory.delete(id);
  return true;
}

/** Returns a file, or undefined if this browser does not have it. @param {string} id @returns {Promise<Blob | undefined>} */
export async function getFile(id) {
  return memory.get(id) ?? access("readonly", (files) => files.get(id)).catch(() => undefined);
}

/** Deletes all files except these. @param {Set<string>} kept IDs */
export async function deleteOtherFiles(kept) {
  for (const id of memory.keys()) if (!kept.has(id)) memory.delete(id);
  await access("readwrite", (files) => {
    const request = files.getAllKeys();
    request.onsuccess = () => request.result.filter((id) => !kept.has(id)).forEach((id) => files.delete(id));
    return request;
  }).catch(() => {});
}

/** Runs a request on the object store in a transaction, and returns its result. */
async function access(mode, makeRequest) {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open("burble-files", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("files");
    opening.onsuccess = () => {
      opening.result.onclose = () => (database = undefined); // so that the next access opens it again
      resolve(opening.result);
    };
    opening.onerror = () => reject(opening.error);
  });
  const transaction = (await database).transaction("files", mode);
  const request = makeRequest(transaction.objectStore("files"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}
