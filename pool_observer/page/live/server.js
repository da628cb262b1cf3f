// The database server as a whole.

const SERVER_SEGMENTS = [
  ["active", "executing"], ["idle_in_transaction", "in-transaction"], ["aborted", "aborted"],
  ["idle", "idle"], ["unknown", "unlisted"],
].map(([state, look]) => ({ name: state, look, words: `ours, ${SESSION_WORDS[state]}` })).concat([
  { name: "others", look: "others", words: "others" },
  { name: "free", look: "unopened", words: "free" },
  { name: "reserved", look: "reserved", words: "reserved" },
]);

// Most services ask no server, so that nothing is made until one is asked.
function createServer() {
  return { node: make("section", "server"), parts: null };
}

function updateServer(view, server, now) {
  show(view.node, server !== null);
  if (server === null) return;
  const parts = (view.parts ??= createServerParts(view.node));
  for (const part of parts.answered) show(part, server.up);
  show(parts.notice, !server.up);
  show(parts.pooler, server.pooler);
  const limits = lowerLimits(server);
  show(parts.limits, limits !== "");
  say(parts.limits, limits);
  if (server.up) updateAnswer(parts, server, now);
  else updateFailure(parts, server, now);
}

function createServerParts(node) {
  const parts = {
    count: make("small"), age: make("small"), failure: make("span"),
    track: make("div", "track"), legend: make("ul", "legend"), ceiling: make("li"),
    transactions: make("p", "small"), limits: make("p", "small"),
    pooler: make("p", "small", "Connections go through a pooler such as PgBouncer, " +
      "so the server\u2019s sessions cannot be joined with holds."),
    segments: {}, entries: {},
  };
  parts.notice = make("p", "notice warn long",
    make("strong", "", "Does not answer the probe: "), parts.failure);
  parts.answered = [parts.count, parts.age, parts.track, parts.legend, parts.transactions];
  parts.track.setAttribute("role", "img");
  for (const { name, look, words } of SERVER_SEGMENTS) {
    parts.track.append(parts.segments[name] = make("i", look, make("b")));
    const number = make("b");
    const entry = make("li", "", make("span", `swatch ${look}`), number, words);
    parts.entries[name] = { entry, number };
    parts.legend.append(entry);
  }
  parts.legend.append(parts.ceiling);
  node.append(make("h3", "", "Database server", parts.count, " ", parts.age), parts.notice,
    parts.track, parts.legend, parts.transactions, parts.limits, parts.pooler);
  return parts;
}

function updateAnswer(parts, server, now) {
  const total = sessionsOf(server);
  say(parts.count, server.max_connections === null ? plural(total, "session")
    : `${total} of ${plural(server.max_connections, "session")}`);
  say(parts.age, `\u00b7\u00a0${ago(now - server.at)}`);
  updateSessions(parts, server);
  const age = (owner) => (server.longest_transaction_seconds[owner]
    ? duration(server.longest_transaction_seconds[owner]) : "none");
  say(parts.transactions, `Longest transaction: ours ${age("ours")}, others ${age("others")}.`);
}

// The probe's trouble, which need not be the application's.
function updateFailure(parts, server, now) {
  const last = server.at === null ? "It has not answered yet"
    : `Last answer ${ago(now - server.at)}`;
  tell(parts.failure, [[server.error ?? "why is not known", "name"],
    `. ${last}, ${plural(server.failures, "failure")} so far. `,
    "The application has connections of its own."]);
}

function updateSessions(parts, server) {
  const counts = countsOf(server);
  for (const { name } of SERVER_SEGMENTS) {
    show(parts.segments[name], counts[name] > 0);
    style(parts.segments[name], "--n", String(counts[name]));
    show(parts.entries[name].entry, counts[name] > 0);
    say(parts.entries[name].number, String(counts[name]));
  }
  const most = server.max_connections === null ? "" : `${server.max_connections} at most`;
  show(parts.ceiling, most !== "");
  say(parts.ceiling, most);
  const told = SERVER_SEGMENTS.filter(({ name }) => counts[name])
    .map(({ name, words }) => `${counts[name]} ${words}`);
  set(parts.track, "aria-label",
    `Sessions on the database server: ${[...told, most].filter(Boolean).join("; ")}`);
}

function countsOf(server) {
  const counts = Object.fromEntries(SERVER_SEGMENTS.map(({ name }) => [name, 0]));
  for (const { owner, state, count } of server.sessions) {
    if (owner !== "ours") counts.others += count;
    else counts[Object.hasOwn(SESSION_WORDS, state) ? state : "unknown"] += count;
  }
  const room = roomOf(server);
  if (room === null) return counts;
  // Of those that are reserved, some may be taken.
  const reserved = Math.max(0, server.max_connections - sessionsOf(server) - room.free);
  return { ...counts, free: room.free, reserved };
}

// Where less is allowed than the server has.
function lowerLimits(server) {
  const usable = roomOf(server)?.usable ?? Infinity;
  const said = [["of this role", server.role_limit], ["in this database", server.database_limit]]
    .filter(([, limit]) => limit !== null && limit < usable)
    .map(([whose, limit]) => `${limit} ${whose}`);
  return said.length ? `At most ${said.join(" and ")}.` : "";
}
