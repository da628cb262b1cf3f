// A whole pool.

function createSection(title, list) {
  const count = make("small");
  const empty = make("p", "empty");
  const omitted = make("p", "omitted");
  const node = make("section", "", make("h3", "", title, count), empty, list, omitted);
  return { node, count, empty, omitted, list };
}
function updateSection(section, count, empty, shown, omitted = 0) {
  say(section.count, count);
  say(section.empty, empty);
  show(section.empty, !shown);
  show(section.list, shown);
  say(section.omitted, `${omitted} more are not shown.`);
  show(section.omitted, omitted > 0);
}

const MOST_DRAWN = 40; // of more, browsers need not lay out those that are out of sight

let anchors = 0;

function createPool() {
  const routes = createRoutes();
  const view = {
    title: make("h2", "clamp"), situation: createSituation(), connections: createConnections(),
    blocked: createBlocked(), server: createServer(), timeline: createTimeline(), routes,
    holds: createSection("Held connections", make("ul", "holds")),
    waits: createSection("Waiting", make("ul", "waits")),
    holders: createSection("Who uses the connections", routes.node),
    incidents: createSection("What went wrong", make("ul", "incidents")),
    settings: createSection("Settings and totals", make("dl", "facts")),
  };
  anchors += 1;
  view.title.id = `pool-${anchors}`;
  view.node = make("section", "pool", view.title,
    make("div", "top",
      make("div", "", view.situation.node, view.connections.node, view.blocked.node,
        view.server.node),
      view.timeline.node),
    view.holds.node, view.waits.node,
    make("div", "two", view.holders.node, view.incidents.node), view.settings.node);
  view.node.setAttribute("aria-labelledby", view.title.id);
  return view;
}

function updatePool(view, pool) {
  const found = judged(pool);
  const groups = holdGroups(pool.holds);
  tell(view.title, [[pool.name, "name"]]);
  updateSituation(view.situation, pool, found, groups);
  updateConnections(view.connections, pool);
  updateBlocked(view.blocked, pool.event_loop.blocked);
  updateServer(view.server, pool.server ?? null, pool.now);
  updateTimeline(view.timeline, pool);

  const longest = most(pool.holds.map((hold) => hold.seconds));
  updateSection(view.holds, pool.used && pool.holds.length ? String(pool.used) : "",
    pool.unseen ? `${plural(pool.unseen, "connection")} taken before pool_observer was there.`
      : pool.used ? "Who holds them is not known." : "Nobody holds a connection.", pool.holds.length > 0, pool.holds_omitted);
  view.holds.list.classList.toggle("many", groups.length > MOST_DRAWN);
  keep(view.holds.list, groups, (group) => group.key, createHold,
    (row, group) => updateHold(row, group, longest));

  updateSection(view.waits, pool.waits.length ? String(pool.waiting) : "", "Nobody waits for one.",
    pool.waits.length > 0, pool.waits_omitted);
  keep(view.waits.list, waitGroups(pool.waits), (group) => group.key, createWait, updateWait);

  const { rows, window_seconds: window } = pool.holders;
  const busiest = most(rows.map((row) => row.seconds));
  updateSection(view.holders, rows.length ? `on average over ${duration(window)}` : "",
    "Nobody has used one lately.", rows.length > 0);
  keep(view.routes.body, rows, (row) => row.holder, createRoute,
    (one, row) => updateRoute(one, row, busiest));

  updateSection(view.incidents, "", "Nothing has been reported.",
    pool.incidents.length > 0);
  keep(view.incidents.list, pool.incidents, incidentKey, createIncident, updateIncident);

  updateSection(view.settings, "", "", true);
  keep(view.settings.list, settingsOf(pool), ([name]) => name,
    () => {
      const name = make("dt");
      const value = make("dd");
      return { node: make("div", "", name, value), name, value };
    },
    (row, [name, value]) => {
      say(row.name, name);
      tell(row.value, [[String(value), ""]]);
    });
  return found.level;
}
