// Opens EventSources, and prints a line for each entry: the number of the EventSource and the entry ID.
// Also prints "N followed" when EventSource N first follows the room, and "N closed" if it gives up.
//
//   node eventsource.mjs MODULE URL COUNT

const [module, url, count] = process.argv.slice(2);
const { EventSource } = await import(module);

for (let i = 0; i < Number(count); i++) {
  const source = new EventSource(url);
  source.addEventListener("followed", () => console.log(`${i} followed`), { once: true });
  source.addEventListener("entry", ({ data }) => console.log(`${i} ${JSON.parse(data).id}`));
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) console.log(`${i} closed`);
  };
}
