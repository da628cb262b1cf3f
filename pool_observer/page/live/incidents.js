// What happened.

function createIncident() {
  const view = {
    kind: make("b"), when: make("span", "small"), count: make("span", "count"),
    who: make("p", "clamp"), text: make("p", "text long"), rest: make("pre", "text"),
    summary: make("summary", "", "All of it"),
  };
  view.details = make("details", "", view.summary, view.rest);
  view.node = make("li", "row incident",
    make("p", "age", view.kind, view.count, view.when),
    make("div", "", view.who, view.text, view.details));
  view.node.classList.add("plain");
  return view;
}
// These come in crowds, which grow: the row stays.
const CROWDS = ["timed_out", "failed"];
const incidentKey = (one) => JSON.stringify(CROWDS.includes(one.kind)
  ? [one.kind, one.since ?? one.at] : [one.kind, one.at, one.holder, placeText(one.call_site)]);

function updateIncident(view, incident) {
  say(view.kind, worded(INCIDENT_WORDS, incident.kind));
  const [from, to] = [clockTime(incident.since ?? incident.at), clockTime(incident.at)];
  say(view.when, from === to ? to : `${from} to ${to}`);
  show(view.count, incident.count > 1);
  say(view.count, `${incident.count} \u00d7`);
  const site = placeParts(incident.call_site);
  show(view.who, Boolean(incident.holder || site.length));
  tell(view.who, [incident.holder ? [incident.holder, "holder"] : "",
    site.length && incident.holder ? " at " : "", ...site,
    incident.seconds === null ? ""
      : ` ${incident.kind === "loop_blocked" ? "for" : "after"} ${duration(incident.seconds)}`]);
  const text = incident.text.trimEnd();
  const brief = text.split("\n", 1)[0];
  say(view.text, brief);
  show(view.text, brief !== "");
  show(view.details, text !== brief);
  say(view.rest, text);
}
