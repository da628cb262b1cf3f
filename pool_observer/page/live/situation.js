// A pool's top: headline, connections, event loop.

const SIGNS = {
  good: ["M10 1a9 9 0 1 0 0 18a9 9 0 0 0 0-18z", "M6 10.3l2.8 2.8L14 7.4"],
  warn: ["M10 1.2L19.4 18H.6z", "M10 7.4v4.4M10 15v.1"],
  bad: ["M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z", "M10 5.4v5.6M10 14.4v.1"],
};
const SEGMENTS = [
  ["executing", "executing"], ["in_transaction", "in transaction"], ["idle", "held idle"],
  ["unlisted", "not listed"], ["unknown", "not seen being taken"], ["free", "idle in the pool"],
  ["unopened", "not open yet"], ["waiting", "waiting"],
];

function createSituation() {
  const shape = drawn("path", {});
  const sign = drawn("path", { class: "sign" });
  const word = make("span");
  const state = make("p", "state",
    drawn("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, shape, sign), word);
  const headline = make("p", "headline");
  const note = make("p", "because notes");
  const because = make("p", "because long");
  const mend = make("p", "mend long");
  const node = make("div", "situation", state, headline, note, because, mend);
  return { node, shape, sign, word, headline, note, because, mend };
}

function updateSituation(view, pool, found, groups) {
  const [shape, sign] = SIGNS[found.level];
  set(view.shape, "d", shape);
  set(view.sign, "d", sign);
  set(view.node, "class", `situation ${found.level}`);
  say(view.word, LEVEL_WORDS[found.level]);
  const clauses = situation(pool, found).split(/(?<=,) /);
  tell(view.headline, clauses.flatMap((clause, index) =>
    index ? [" ", [clause, "clause"]] : [[clause, "clause"]]));
  const note = notes(found);
  say(view.note, note);
  show(view.note, note !== "");
  const group = culprit(pool, found, groups);
  show(view.because, group !== null);
  show(view.mend, Boolean(group?.diagnosis?.mend));
  if (!group) return;
  const { diagnosis, first: { standing } } = group;
  const count = group.members.length;
  const why = diagnosis ? [": ", ...prose(ended(diagnosis.text))]
    : standing ? [", now ", ...standingParts(standing), "."] : ["."];
  const many = count === 1 ? `has held one for ${duration(group.first.seconds)}`
    : `holds ${count === pool.used ? "all" : count} of them`;
  tell(view.because, [[group.first.holder, "holder"], ` ${many}`, ...why]);
  if (diagnosis?.mend) tell(view.mend, prose(ended(capital(diagnosis.mend))));
}

function parts(pool) {
  const counts = Object.fromEntries(ACTIVITIES.map((activity) =>
    [activity, pool.holds.filter((hold) => hold.activity === activity).length]));
  const known = sum(Object.values(counts));
  const opened = pool.used + pool.idle;
  return {
    ...counts,
    unlisted: pool.holds_omitted,
    unknown: Math.max(0, pool.used - known - pool.holds_omitted),
    free: pool.idle,
    unopened: pool.max === null ? 0 : Math.max(0, pool.max - opened),
    waiting: pool.waiting,
  };
}

const MOST_CELLS = 48; // more would not be told apart

function createConnections() {
  const track = make("div", "track");
  track.setAttribute("role", "img");
  const legend = make("ul", "legend");
  const segments = {};
  const entries = {};
  for (const [name, words] of SEGMENTS) {
    const look = name === "waiting" ? "waiting-fill" : styleName(name);
    if (name === "waiting") track.append(make("i", "bound"));
    track.append(segments[name] = make("i", look));
    const count = make("b");
    const entry = make("li", "", make("span", `swatch ${look}`), count, words);
    entries[name] = { entry, count };
    legend.append(entry);
  }
  const ceiling = make("li");
  legend.append(ceiling);
  return { node: make("div", "connections", track, legend), track, segments, entries, ceiling };
}

function updateConnections(view, pool) {
  const counts = parts(pool);
  const seats = sum(Object.values(counts)) - counts.waiting;
  // However many wait, the connections themselves stay to be seen.
  const widths = { ...counts, waiting: Math.min(counts.waiting, Math.max(seats, 4) * 1.7) };
  for (const [name] of SEGMENTS) {
    const visible = counts[name] > 0;
    show(view.segments[name], visible);
    style(view.segments[name], "--n", String(widths[name]));
    fill(view.segments[name], seats <= MOST_CELLS && name !== "waiting" ? counts[name] : 1);
    show(view.entries[name].entry, visible);
    say(view.entries[name].count, String(counts[name]));
  }
  show(view.track.querySelector(".bound"), counts.waiting > 0);
  show(view.track, seats + counts.waiting > 0);
  tell(view.ceiling, [pool.max === null ? "no limit" : `${pool.max} at most`]);
  set(view.track, "aria-label", `Connections: ${SEGMENTS.filter(([name]) => counts[name])
    .map(([name, words]) => `${counts[name]} ${words}`).join(", ") || "none"}`);
}

function fill(segment, cells) {
  while (segment.childElementCount > cells) segment.lastChild.remove();
  while (segment.childElementCount < cells) segment.append(make("b"));
}

function createBlocked() {
  const list = make("ul");
  return { node: make("div", "blocked", list), list };
}
function updateBlocked(view, blocked) {
  show(view.node, blocked.length > 0);
  keep(view.list, blocked, () => "loop",
    () => {
      const text = make("span");
      const title = make("strong");
      return { node: make("li", "long", title, text), title, text };
    },
    (row, one) => {
      say(row.title, `The event loop has been blocked for ${duration(one.seconds)}. `);
      const where = standingParts(one.standing);
      tell(row.text, where.length
        ? ["Nobody is served meanwhile. It stands at ", ...where, "."]
        : ["Nobody is served meanwhile. Where is not known."]);
    });
}
