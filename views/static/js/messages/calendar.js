/** The dialog in which a moment is chosen to go to. */

const panel = document.getElementById("calendar");
const field = panel.querySelector("input");
let go;

/** @param {(at: string) => void} given takes the moment chosen, as an address has it */
export function open(given) {
  go = given;
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  field.max = now;
  field.value ||= now;
  panel.showModal();
}

panel.addEventListener("close", () => {
  const time = Date.parse(field.value);
  if (panel.returnValue === "go" && time) go(new Date(time).toISOString());
  panel.returnValue = "";
});
