import { make, makeCloseButton } from "../page/make.js";

const heading = make("h2", { id: "calendar-heading" }, "Go to a date");
const field = make("input", { type: "datetime-local", required: true, "aria-labelledby": heading.id });
const go = make("button", { value: "go" }, "Go");
const form = make("form", { className: "form-row", method: "dialog" }, field, go, makeCloseButton({ formNoValidate: true }));
const dialog = make("dialog", { id: "calendar", closedby: "any", "aria-labelledby": heading.id }, heading, form);
document.body.append(dialog);
let goToTime;

/** Lets the user pick a date and time. @param {(time: string) => void} callback receives the time in ISO format */
export function openCalendar(callback) {
  goToTime = callback;
  const newest = Date.parse([...document.querySelectorAll("#messages time")].at(-1)?.dateTime) || 0;
  const latest = Math.max(Date.now(), newest); // the device’s clock may be behind
  const now = new Date(latest - new Date(latest).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  field.max = now;
  field.value ||= now;
  dialog.showModal();
}

dialog.addEventListener("close", () => {
  const time = Date.parse(field.value);
  if (dialog.returnValue === "go" && time) goToTime(new Date(time).toISOString());
  dialog.returnValue = "";
});
