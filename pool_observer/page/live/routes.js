// Routes.

function createRoutes() {
  const heads = ["Route", "connections", "not executing", "kept others waiting", "time-outs", "failed"];
  const row = make("tr");
  row.setAttribute("role", "row");
  heads.forEach((text, index) => {
    const head = make("th", index ? "number" : "", text);
    head.scope = "col";
    head.setAttribute("role", "columnheader");
    row.append(head);
  });
  const body = make("tbody");
  const top = make("thead", "", row);
  const table = make("table", "", top, body);
  // Said again, because a table that is laid out otherwise on a phone is none to some browsers.
  table.setAttribute("role", "table");
  for (const part of [top, body]) part.setAttribute("role", "rowgroup");
  return { node: table, body };
}

function createRoute() {
  const cell = (one, many = one) => {
    const value = make("span");
    const unit = make("span", "unit");
    const node = make("td", "number", value, unit);
    node.setAttribute("role", "cell");
    return { node, value, unit, one, many };
  };
  const view = {
    name: make("span", "clamp"), split: createSplit("share"), connections: cell("connection", "connections"),
    wasted: cell("not executing"), blamed: cell("others waited"), timedOut: cell("time-out", "time-outs"),
    failed: cell("failed"),
  };
  const head = make("th", "", view.name, view.split.node);
  head.scope = "row";
  head.setAttribute("role", "rowheader");
  view.node = make("tr", "", head, view.connections.node, view.wasted.node, view.blamed.node,
    view.timedOut.node, view.failed.node);
  view.node.setAttribute("role", "row");
  return view;
}

function updateRoute(view, row, most) {
  tell(view.name, [[row.holder, "name"]]);
  set(view.name, "title", row.holder.length > 80 ? row.holder : null);
  updateSplit(view.split, row, most);
  const figure = (cell, text) => {
    say(cell.value, text);
    say(cell.unit, ` ${text === "1" ? cell.one : cell.many}`);
    cell.node.classList.toggle("zero", text === "0");
  };
  figure(view.connections, amount(row.connections));
  figure(view.wasted, `${Math.round(100 * (row.wasted_ratio ?? 0))}\u00a0%`);
  figure(view.blamed, row.blamed_seconds ? duration(row.blamed_seconds) : "0");
  figure(view.timedOut, String(row.timed_out));
  figure(view.failed, String(row.failed ?? 0));
}
