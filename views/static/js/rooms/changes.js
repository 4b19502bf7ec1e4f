import { formatDateTime } from "../page/time.js";
import { names } from "../people/names.js";
import { isHidden } from "./rooms.js";

/**
 * Returns a line about an entry of kind member or room, in the same words as a live read in plain text.
 * @param {import("../messages/message.js").Entry} entry
 */
export function lineOf({ n, kind, user, member, role, reason, muted_until: muted, title, archived, locked }) {
  const who = user.name;
  if (kind === "room" && n === 1) return `${who} created the room${title ? ` “${title}”` : ""}`;
  if (kind === "room") {
    const state = archived ? "archived" : locked ? "locked" : "open";
    return `${who} changed the settings of the room: ${state}${title ? `, titled “${title}”` : ""}`;
  }
  const why = reason ? `: ${reason}` : "";
  if (role === "none") return member.id === user.id ? `${who} left` : `${who} removed ${member.name}${why}`;
  if (role === "moderator" && member.id === user.id) return `${who} became a moderator`;
  if (role === "moderator") return `${who} made ${member.name} a moderator${why}`;
  if (muted) return `${who} muted ${member.name}${untilText(muted)}${why}`;
  return member.id === user.id ? `${who} joined` : `${who} added ${member.name}`;
}

/** Returns text for the end of a mute, or "" if it has none. For such a mute, the forms set an end in a hundred years. */
function untilText(muted) {
  const until = new Date(muted);
  return until.getFullYear() > new Date().getFullYear() + 50 ? "" : ` until ${formatDateTime(until.getTime())}`;
}

/**
 * Shows a new topic, or a change of the room or of its members: a line between the messages, and a new title in the heading.
 * @param {string} room
 * @param {import("../messages/message.js").Entry} entry
 * @param {import("../messages/timeline.js").Timeline} timeline
 */
export function showChange(room, entry, timeline) {
  if (entry.kind === "topic") return (document.getElementById("topic-button").firstElementChild.textContent = entry.text);
  for (const person of [entry.user, entry.member]) if (person) names.add(person);
  showRefusal(entry);
  if (entry.kind === "room" && isHidden(room) && entry.title) showTitle(entry.title);
  timeline.addLine(lineOf(entry), entry.id);
}

/** Shows the new title of a private room, which has no other name. */
function showTitle(title) {
  document.querySelector(".bar h1").textContent = title;
  const field = document.querySelector("#composer textarea");
  if (field) field.placeholder = field.ariaLabel = `Message ${title}`;
}

const ARCHIVED = "This room is archived. Nobody may post.";
const MUTED = "You are muted in this room";

/** Why the room refuses messages: because of its settings, and because the user is muted. Either may be "". */
let refusal;

/** Returns the reasons after an entry. */
export function refusalAfter({ kind, member, muted_until: muted, archived, locked }, me, before) {
  if (kind === "room") return { ...before, settings: archived ? ARCHIVED : locked ? "This room is locked. Only moderators may post." : "" };
  if (member.id === me) return { ...before, muted: muted ? `${MUTED}${untilText(muted)}.` : "" };
  return before;
}

/** Returns the reason to show. */
export const refusalText = ({ settings, muted }) => settings === ARCHIVED ? settings : muted || settings;

/** Shows above the composer why the room refuses messages. */
function showRefusal(entry) {
  const element = document.getElementById("refusal");
  if (!element) return;
  const text = element.textContent;
  refusal ??= text.startsWith(MUTED) ? { settings: "", muted: text } : { settings: text, muted: "" };
  refusal = refusalAfter(entry, document.body.dataset.user, refusal);
  element.textContent = refusalText(refusal);
}
