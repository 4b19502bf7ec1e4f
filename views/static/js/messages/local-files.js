import { getFile } from "../offline/file-store.js";
import { uploadOf, uploads } from "../offline/uploads.js";
import { make } from "../page/make.js";

/**
 * Shows the files of an unsent message, from this browser's database, and the progress of their uploads.
 * @param {Element} container the parent of the files' elements
 * @param {import("../offline/uploads.js").Attached[]} files
 */
export async function showLocalFiles(container, files) {
  const bar = make("progress", { ariaLabel: "Uploading" });
  container.append(bar);
  const update = () => {
    if (!container.isConnected) return uploads.removeEventListener("change", update);
    const parts = files.map(({ id, size, uploaded }) => (uploaded ? 1 : (uploadOf(id)?.progress ?? 0)) * size);
    bar.value = parts.reduce((sum, part) => sum + part, 0) / files.reduce((sum, { size }) => sum + size, 1);
  };
  uploads.addEventListener("change", update);
  update();
  const links = container.querySelectorAll("a");
  for (const [i, { id, name }] of files.entries()) {
    const blob = await getFile(id);
    if (!blob) continue;
    const link = links[i];
    const url = URL.createObjectURL(blob);
    link.href = url;
    if (link.matches(".file")) link.download = name;
    const shown = link.querySelector("img") ?? (/^(video|audio)$/.test(link.previousElementSibling?.localName) && link.previousElementSibling);
    if (shown) shown.src = url;
  }
}
