/**
 * Entry IDs ("<milliseconds>-<sequence number>"), cursors ("<entry ID>@<epoch>") and idempotency keys.
 */

/**
 * Compares two entry IDs in stream order. Returns a negative number if a is older than b, 0 if
 * they are equal, and a positive number if a is newer.
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
export function compareIDs(a, b) {
  const [aTime, aSequence = 0] = a.split("-").map(Number);
  const [bTime, bSequence = 0] = b.split("-").map(Number);
  return aTime - bTime || aSequence - bSequence;
}

/**
 * Returns the time in an entry ID or cursor, in milliseconds.
 * @param {string} id
 * @returns {number}
 */
export function timeOf(id) {
  return Number.parseInt(id, 10);
}

/**
 * Returns the entry ID in a cursor. Returns an entry ID unchanged.
 * @param {string} cursor
 * @returns {string}
 */
export function idOf(cursor) {
  return cursor.split("@", 1)[0];
}

/**
 * Returns a random UUID (version 4). crypto.randomUUID exists only in secure contexts, which
 * exclude pages loaded over plain HTTP from another machine.
 * @param {Crypto} [source]
 * @returns {string}
 */
export function newKey(source = globalThis.crypto) {
  if (source.randomUUID) return source.randomUUID();
  const bytes = source.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // RFC 9562, section 5.4
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
