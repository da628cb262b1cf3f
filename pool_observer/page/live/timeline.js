// The last minutes.

const CHART = { left: 4, right: 4, above: 22, below: 20 };

function createTimeline() {
  const paths = Object.fromEntries(ACTIVITIES.map((activity) =>
    [activity, drawn("path", { class: styleName(activity) })]));
  const waiting = drawn("path", { class: "waiting" });
  const halo = drawn("path", { class: "waiting halo" });
  const marks = drawn("path", { class: "timed-out" });
  const crosses = drawn("path", { class: "failed" });
  const cut = drawn("text", { class: "over", "text-anchor": "end" });
  const most = drawn("line", { class: "most" });
  const mostText = drawn("text", { class: "over" });
  const ground = drawn("line", { class: "ground" });
  const ticks = drawn("g", {});
  const cursor = drawn("line", { class: "cursor", hidden: "" });
  const svg = drawn("svg", { role: "img" }, ticks, paths.idle, paths.in_transaction,
    paths.executing, ground, most, halo, waiting, marks, crosses, mostText, cut, cursor);
  const failed = make("li", "", make("span", "swatch cross"), "failed");
  const legend = make("ul", "legend",
    ...ACTIVITIES.map((activity) => make("li", "",
      make("span", `swatch ${styleName(activity)}`), ACTIVITY_WORDS[activity])),
    make("li", "", make("span", "swatch line"), "waiting"),
    make("li", "", make("span", "swatch mark"), "timed out"), failed);
  const caption = make("figcaption");
  const node = make("figure", "timeline", svg, legend, caption);
  const view = {
    node, svg, paths, waiting, halo, marks, crosses, failed, cut, most, mostText, ground, ticks, caption, cursor,
    pointed: null, // where on the chart, by whoever looks
  };
  const pointTo = (at) => {
    view.pointed = at;
    if (view.pool) drawTimeline(view);
  };
  svg.addEventListener("pointermove", (event) =>
    pointTo(event.clientX - svg.getBoundingClientRect().left));
  svg.addEventListener("pointerleave", () => pointTo(null));
  new ResizeObserver(() => view.pool && drawTimeline(view)).observe(svg);
  return view;
}

function updateTimeline(view, pool) {
  view.pool = pool;
  drawTimeline(view);
}

function drawTimeline(view) {
  const { timeline, max } = view.pool;
  const { clientWidth: width, clientHeight: height } = view.svg;
  if (!width) return;
  const length = timeline.executing.length;
  const every = timeline.every_seconds;
  const span = length * every <= 60 ? 60 : 300;
  const right = width - CHART.right;
  const scaleX = (right - CHART.left) / (span / every);
  const x = (index) => right - (length - index) * scaleX;
  const held = timeline.executing.map((executing, index) =>
    executing + timeline.in_transaction[index] + timeline.idle[index]);
  const heldMost = most(held);
  const waitingMost = most(timeline.waiting);
  const shown = max !== null && max <= Math.max(20, 4 * heldMost) ? max : 0;
  const usual = Math.max(heldMost, shown, 1);
  const top = Math.max(usual, Math.min(waitingMost, 2.5 * usual));
  const bottom = height - CHART.below;
  const y = (count) => bottom - (Math.min(count, top) / top) * (bottom - CHART.above);
  const point = (number) => number.toFixed(1);

  // Painted from the whole height down, so that no gap shows between neighbours.
  let heights = held;
  for (const activity of ["idle", "in_transaction", "executing"]) {
    set(view.paths[activity], "d", steps(heights, x, y, point, bottom));
    heights = heights.map((height, index) => height - timeline[activity][index]);
  }
  const queue = raised(timeline.waiting, x, y, point);
  set(view.halo, "d", queue);
  set(view.waiting, "d", queue);
  set(view.marks, "d", timeline.timed_out.map((count, index) => count
    ? `M${point(x(index + 0.5) - 4.5)} 2h9l-4.5 8z` : "").join(""));
  const failures = failuresOf(timeline);
  set(view.crosses, "d", failures.map((count, index) => count
    ? `M${point(x(index + 0.5) - 3.5)} 12l7 7m0-7l-7 7` : "").join(""));
  show(view.failed, sum(failures) > 0);
  say(view.cut, waitingMost > top ? `cut off, up to ${waitingMost} waiting` : "");
  set(view.cut, "x", point(right));
  set(view.cut, "y", point(y(top) + 15));
  for (const [line, level] of [[view.ground, bottom], [view.most, y(shown)]]) {
    for (const [name, value] of [["x1", 0], ["x2", width], ["y1", level], ["y2", level]]) {
      set(line, name, point(value));
    }
  }
  set(view.most, "visibility", shown ? "visible" : "hidden");
  const beyond = max === null ? "" : `, of ${max}`;
  say(view.mostText, shown ? `max ${shown}` : heldMost ? `${amount(heldMost)}${beyond}` : "");
  set(view.mostText, "x", "2");
  set(view.mostText, "y", point(y(shown || heldMost) - 5));
  drawTicks(view, span, right, width, bottom);
  const told = [`Last ${span === 60 ? "minute" : "five minutes"}: at most ${amount(heldMost)}`,
    max === null ? " connections held" : ` of ${plural(max, "connection")} held`,
    `, ${waitingMost ? `at most ${waitingMost}` : "nobody"} waiting`,
    `, ${plural(sum(timeline.timed_out), "time-out")}`,
    sum(failures) ? `, ${sum(failures)} failed.` : "."].join("");
  set(view.svg, "aria-label", told);
  const index = view.pointed === null ? -1
    : Math.floor(length - (right - view.pointed) / scaleX);
  show(view.cursor, index >= 0 && index < length);
  if (view.cursor.hasAttribute("hidden")) {
    say(view.caption, told);
    return;
  }
  const at = point(x(index + 0.5));
  for (const [name, value] of [["x1", at], ["x2", at], ["y1", "0"], ["y2", point(bottom)]]) {
    set(view.cursor, name, value);
  }
  const when = clockTime(timeline.until - (length - 1 - index) * every);
  say(view.caption, `${when}: ${ACTIVITIES.map((activity) =>
    `${amount(timeline[activity][index])} ${ACTIVITY_WORDS[activity]}`).join(", ")}, ` +
    `${timeline.waiting[index]} waiting, ${timeline.timed_out[index]} timed out` +
    `${failures[index] ? `, ${failures[index]} failed` : ""}.`);
}

function steps(values, x, y, point, ground) {
  if (!values.length) return "";
  const line = values.map((value, index) =>
    `${index ? "V" : `M${point(x(0))} `}${point(y(value))}H${point(x(index + 1))}`).join("");
  return `${line}V${point(ground)}H${point(x(0))}Z`;
}

// A line that leaves the ground only where there is something.
function raised(values, x, y, point) {
  return values.map((value, index) => {
    const before = values[index - 1] ?? 0;
    if (!value) return before ? `V${point(y(0))}` : "";
    return `${before ? "" : `M${point(x(index))} ${point(y(0))}`}V${point(y(value))}H${point(x(index + 1))}`;
  }).join("");
}

function drawTicks(view, span, right, width, bottom) {
  const key = `${span} ${width}`;
  if (view.ticks.key === key) return;
  view.ticks.key = key;
  const each = span === 60 ? 15 : 60;
  const marks = [];
  for (let ago = 0; ago <= span; ago += each) {
    const at = right - (ago / span) * (right - CHART.left);
    marks.push(drawn("line", { class: "tick", x1: at, x2: at, y1: CHART.above, y2: bottom }));
    const label = drawn("text", {
      x: at, y: bottom + 16,
      "text-anchor": ago === 0 ? "end" : ago === span ? "start" : "middle",
    });
    label.textContent = ago === 0 ? "now" : span === 60 ? `${ago} s` : `${ago / 60} min`;
    if (ago === span && width > 480) label.textContent += " ago";
    marks.push(label);
  }
  view.ticks.replaceChildren(...marks);
}
