/**
 * Reads a response body of newline-delimited JSON and yields each value as it arrives.
 * @param {ReadableStream<Uint8Array>} body
 */
export async function* readNDJSON(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : lines.pop();
    for (const line of lines) if (line.trim()) yield JSON.parse(line);
    if (done) return;
  }
}
