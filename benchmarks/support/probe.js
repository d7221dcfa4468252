// What runs in the page: frames, long tasks, and which message is the newest one painted.
(way) => {
  const NUMBER = /"seq":\s*(\d+)/g;
  const ROWS = { panel: ".ipyws-panel .canvas > .row", view: ".ipyws tbody > tr", html: ".every-row tbody > tr" };
  const output = document.querySelectorAll(".jp-Notebook .jp-Cell")[1].querySelector(".jp-OutputArea");
  const numberIn = (text) => Number([...text.matchAll(NUMBER)].at(-1)?.[1] ?? -1);

  /** The number in the last row of the lowest output; rows without one (a ping, a gap) say nothing. */
  function lastRow() {
    const row = [...output.querySelectorAll(`${ROWS[way]}:last-child`)].at(-1);
    return row ? numberIn(row.textContent) : -1;
  }

  /** The number in the last lines of printed text, without reading megabytes of it at every frame. */
  function lastLine() {
    const walker = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
    let node = output;
    while (node.lastChild) node = node.lastChild;
    walker.currentNode = node;
    for (let steps = 0; node && steps < 20; steps += 1, node = walker.previousNode()) {
      const found = node.nodeType === Node.TEXT_NODE ? numberIn(node.data.slice(-1500)) : -1;
      if (found >= 0) return found;
    }
    return -1;
  }

  const newest = { panel: lastRow, view: lastRow, html: lastRow, print: lastLine, none: () => -1 }[way];
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  const probe = { frames: [], painted: [], tasks: [], newest: -1 };
  let running = true;

  const observer = new PerformanceObserver((list) => list.getEntries().forEach(note));
  function note({ startTime, duration }) {
    probe.tasks.push([(performance.timeOrigin + startTime) / 1000, duration / 1000]);
  }
  observer.observe({ type: "longtask" });

  // The task posted in a frame's callback is the first after that frame was painted: the DOM it finds is what
  // the user sees.
  const afterPaint = new MessageChannel();
  afterPaint.port1.onmessage = () => {
    const seen = newest();
    if (seen <= probe.newest) return;
    probe.newest = seen;
    probe.painted.push([seen, now()]);
  };
  function frame() {
    if (!running) return;
    probe.frames.push(now());
    afterPaint.port2.postMessage(null);
    requestAnimationFrame(frame);
  }
  requestAnimationFrame(frame);

  probe.stop = () => {
    running = false;
    observer.takeRecords().forEach(note);
    observer.disconnect();
    const { frames, painted, tasks } = probe;
    return { frames, painted, tasks, end: now() };
  };
  window.probe = probe;
}
