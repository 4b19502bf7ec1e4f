/**
 * The objects of an answer of lines of JSON, as they come.
 * @param {ReadableStream<Uint8Array>} body
 */
export async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const found = (rest + (value ?? "")).split("\n");
    rest = done ? "" : found.pop();
    for (const line of found) if (line.trim()) yield JSON.parse(line);
    if (done) return;
  }
}
