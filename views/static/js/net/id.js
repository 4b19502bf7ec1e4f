/**
 * Entry IDs ("1732281600000-0": milliseconds and a sequence number) and cursors
 * ("<entry ID>@<epoch>").
 */

/**
 * Orders two entry IDs as the room does: negative when a comes before b, 0 when
 * they are the same, positive when it comes after.
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
export function compare(a, b) {
  const [aTime, aSequence = 0] = a.split("-").map(Number);
  const [bTime, bSequence = 0] = b.split("-").map(Number);
  return aTime - bTime || aSequence - bSequence;
}

/**
 * The time of an entry ID or a cursor, in milliseconds.
 * @param {string} id
 * @returns {number}
 */
export function timeOf(id) {
  return Number.parseInt(id, 10);
}

/**
 * The entry ID in a cursor; a bare entry ID is itself.
 * @param {string} cursor
 * @returns {string}
 */
export function idOf(cursor) {
  return cursor.split("@", 1)[0];
}

/**
 * A new UUID (version 4). crypto.randomUUID exists only in secure contexts, and
 * a page loaded over plain http from a machine nearby is none.
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
