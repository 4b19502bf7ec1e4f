import { ago } from "./time.js";

/** The home page: times as the reader knows them, and a forgiving name for a room. */

for (const time of document.querySelectorAll("time")) {
  time.title = time.textContent;
  time.textContent = ago(Date.parse(time.dateTime));
}

const form = document.getElementById("open");
const { room } = form.elements;

room.addEventListener("input", () => {
  const { selectionStart } = room;
  room.value = room.value.toLowerCase().replace(/\s/g, "-");
  room.setSelectionRange(selectionStart, selectionStart);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(`/r/${room.value}`);
});
