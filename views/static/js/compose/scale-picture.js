/** Makes pictures smaller before they are uploaded. */

const MAX_SIDE = 2_560; // pixels
const QUALITY = 0.88;
const MAX_HEAD = 65_536; // bytes at the beginning of a file that are searched for an animation

/**
 * Returns the size of a picture whose longer side is at most `max`.
 * @param {number} width @param {number} height @param {number} [max] @returns {[number, number]}
 */
export function fit(width, height, max = MAX_SIDE) {
  const scale = Math.min(1, max / Math.max(width, height));
  return [width, height].map((side) => Math.max(1, Math.round(side * scale)));
}

/** Reports whether a picture is animated, from its first bytes. GIFs count as animated. @param {string} type @param {Uint8Array} head */
export function isAnimated(type, head) {
  const text = String.fromCharCode(...head);
  if (type === "image/png") return text.includes("acTL");
  if (type === "image/webp") return text.slice(12, 16) === "VP8X" && (head[20] & 2) !== 0;
  if (type === "image/avif") return text.slice(4, 32).includes("avis");
  return type === "image/gif";
}

/**
 * Scales a picture down to MAX_SIDE, which also removes metadata such as the place where a photo was taken. A picture that
 * is animated or small enough stays unchanged, and the server removes the metadata. Decoding and encoding do not block the
 * page.
 * @param {File} file @param {number} maxSize size in bytes above which any picture is encoded again
 * @returns {Promise<{ blob: Blob, width: number, height: number, color: string } | undefined>} undefined if the browser cannot decode it
 */
export async function scalePicture(file, maxSize) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => undefined);
  if (!bitmap) return undefined;
  const { width, height } = bitmap;
  const color = colorOf(bitmap);
  const head = new Uint8Array(await file.slice(0, MAX_HEAD).arrayBuffer());
  const size = fit(width, height);
  if (isAnimated(file.type, head) || (size[0] === width && file.size <= maxSize)) {
    bitmap.close();
    return { blob: file, width, height, color };
  }
  const canvas = makeCanvas(...size);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, ...size);
  bitmap.close();
  return { blob: await encode(canvas, file.type, () => isOpaque(context, size)), width: size[0], height: size[1], color };
}

/** Encodes a picture. A screenshot stays a PNG unless JPEG is smaller. */
async function encode(canvas, type, isOpaque) {
  if (type === "image/jpeg") return toBlob(canvas, type);
  const png = await toBlob(canvas, "image/png");
  const jpeg = isOpaque() && (await toBlob(canvas, "image/jpeg"));
  return jpeg && jpeg.size < png.size ? jpeg : png;
}

/** Returns the average color as #rrggbb. */
function colorOf(bitmap) {
  const context = makeCanvas(1, 1).getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
  return alpha ? `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}` : "";
}

function isOpaque(context, [width, height]) {
  const { data } = context.getImageData(0, 0, width, height);
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return false;
  return true;
}

function makeCanvas(width, height) {
  if (globalThis.OffscreenCanvas) return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement("canvas"), { width, height });
}

const toBlob = (canvas, type) =>
  canvas.convertToBlob?.({ type, quality: QUALITY }) ?? new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY));
