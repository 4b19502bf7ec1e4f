const dialog = document.getElementById("calendar");
const field = dialog.querySelector("input");
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
