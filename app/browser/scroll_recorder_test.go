//go:build unix

package browser

// recordScrolling starts the recorder in the page, and sets rendered, the numbers of the messages that the server rendered.
func (u *user) recordScrolling() {
	u.t.Helper()
	u.runScript(`const { entries } = await (await fetch(location.pathname + "/messages?limit=50")).json();
		globalThis.rendered = new Map(entries.map(({ id, n }) => ["m" + id, n]))`)
	eval[bool](u, scrollRecorder)
}

// scrollRecorder is a script that records which messages are in view after each frame, and whether a
// change to the messages moved them. It runs in the page, so that nothing can happen between a change
// and its measurement.
const scrollRecorder = `Boolean(window.recorder = (() => {
  const scroller = document.querySelector("#scroller"), log = document.querySelector("#messages");
  const edges = { "-1": document.querySelector("#older a"), "1": document.querySelector("#newer a") };
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const top = (element) => element.getBoundingClientRect().top;
  const inView = () => {
    const view = scroller.getBoundingClientRect();
    return new Map([...log.querySelectorAll("article[id] > .body")]
      .map((body) => [body, body.getBoundingClientRect()])
      .filter(([, box]) => box.bottom > view.top && box.top < view.bottom)
      .map(([body, box]) => [body, box.top]));
  };
  const moved = (since) => [...since].map(([body, was]) => (body.isConnected ? top(body) - was : 1e6));
  const recorder = { direction: -1, loads: 0, seen: 0, peak: 0, holes: 0, jump: 0, back: 0, shift: 0 };
  const seen = new Set();
  let held, painted;
  const hold = () => (held = inView());
  for (const type of ["scroll", "scrollend"]) addEventListener(type, hold, { capture: true }); // before the page's own listeners

  const afterFrame = () => {
    const [step = 0] = moved([...painted].filter(([body]) => body.isConnected).slice(0, 1));
    recorder.back = Math.max(recorder.back, step * recorder.direction);
    painted = hold();
    requestAnimationFrame(afterFrame);
  };
  const count = () => {
    const numbers = [...log.querySelectorAll("article")].map((article) => Number(article.dataset.n ?? rendered.get(article.id)));
    numbers.forEach((n, i) => (seen.add(n), (recorder.holes += i && n !== numbers[i - 1] + 1)));
    recorder.seen = seen.size;
    recorder.peak = Math.max(recorder.peak, numbers.length);
  };
  new MutationObserver((changes) => {
    recorder.loads += changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.localName === "article"));
    recorder.jump = Math.max(recorder.jump, ...moved(held).map(Math.abs));
    count();
  }).observe(log, { childList: true });
  // If a page loads in a frame that scrolls, the browser counts the scrolling as a layout shift. So shift
  // is not recorded while the test simulates scrolling by hand. Elements that enter or leave the view do not count.
  const staysInView = ({ previousRect, currentRect }) => previousRect.height > 0 && currentRect.height > 0;
  const shifted = ({ value, sources }) => !recorder.byHand && sources.some(staysInView) && (recorder.shift += value);
  new PerformanceObserver((list) => list.getEntries().forEach(shifted)).observe({ type: "layout-shift" });

  /** Waits until scrolling has stopped. */
  recorder.rest = async () => {
    for (let still = 0, at; still < 20; still = at === scroller.scrollTop ? still + 1 : 0, at = scroller.scrollTop) await frame();
    recorder.byHand = false;
    return true;
  };
  /** Starts to load more messages. They arrive once the browser scrolls. */
  recorder.load = async () => {
    const { fetch } = globalThis;
    let responded = false;
    globalThis.fetch = async (...args) => {
      globalThis.fetch = fetch;
      const response = await fetch(...args);
      responded = true;
      await new Promise((resolve) => scroller.addEventListener("scroll", resolve, { once: true }));
      return response;
    };
    recorder.before = recorder.loads;
    for (scroller.focus(); !responded; await frame()) edges[recorder.direction].click();
    return true;
  };
  recorder.isScrolledUp = () => scroller.scrollTop < -200;
  recorder.loaded = async () => {
    while (recorder.loads === recorder.before) await frame();
    return true;
  };
  recorder.turn = (direction) => {
    recorder.direction = direction;
    recorder.byHand = true;
    painted = hold();
    seen.clear();
    count();
    return true;
  };
  /** Loads more pages, each by scrolling near the end of the loaded messages. Returns whether it reached the end of the room. */
  recorder.read = async (pages) => {
    const { direction } = recorder;
    while (!edges[direction].hidden && pages--) {
      const { loads } = recorder;
      scroller.scrollTop = direction < 0 ? scroller.clientHeight - scroller.scrollHeight + 600 : -600;
      hold();
      while (recorder.loads === loads) await frame();
      await frame(); // so that scrolling and loading are in different frames
    }
    if (edges[direction].hidden) scroller.scrollTop = direction < 0 ? -1e9 : 0;
    await frame();
    return edges[direction].hidden;
  };
  afterFrame((painted = hold()));
  return recorder;
})())`

// recording is the result of scrollRecorder.
type recording struct {
	Loads int     // number of loaded pages of messages
	Seen  int     // number of different messages in the page since the last turn
	Peak  int     // highest number of messages in the page at once
	Holes int     // number of pairs of messages that are adjacent in the page but not in the room
	Jump  float64 // longest distance that a change to the messages moved a message in view, in pixels
	Back  float64 // longest distance that a message moved against the direction of scrolling in one frame, in pixels
	Shift float64 // the browser's layout shift score for elements that stay in view, except while scrolling by hand
}
