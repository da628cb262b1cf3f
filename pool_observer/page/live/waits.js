// Waits.

function createWait() {
  const view = {
    age: make("b"), count: make("span", "count"), stage: make("p", "small"),
    holder: make("p", "holder clamp"), nested: make("p", "small long"), site: make("p", "small long"),
    tags: make("ul", "tags", make("li", "tag nested", "holds one already")),
    summary: make("summary"), members: make("ul", "members ages"),
  };
  view.details = make("details", "each", view.summary, view.members);
  view.details.addEventListener("toggle", () => updateWaiters(view));
  view.node = make("li", "row plain wait",
    make("div", "", make("p", "age", view.age, view.count), view.stage),
    make("div", "", view.holder, view.tags, view.site, view.nested), view.details);
  return view;
}

function updateWait(view, group) {
  const { first, members } = group;
  view.group = group;
  say(view.age, duration(first.seconds));
  say(view.count, `${members.length} \u00d7`);
  show(view.count, members.length > 1);
  say(view.stage, worded(STAGE_WORDS, first.stage));
  tell(view.holder, [[first.holder, "name"]]);
  set(view.holder, "title", first.holder.length > 80 ? first.holder : null);
  show(view.site, first.call_site !== null);
  tell(view.site, [["at", "label"], " ", ...placeParts(first.call_site)]);
  show(view.tags, first.nested_in !== null);
  show(view.nested, first.nested_in !== null);
  tell(view.nested, [["the first was taken at", "label"], " ", ...placeParts(first.nested_in)]);
  show(view.details, members.length > 1);
  const last = members[members.length - 1];
  say(view.summary, allOf(members.length, first, last));
  updateWaiters(view);
}
function updateWaiters(view) {
  if (!view.details.open) return;
  keep(view.members, view.group.members, (wait) => wait.id,
    () => {
      const age = make("b");
      return { node: make("li", "", age), age };
    },
    (row, wait) => say(row.age, duration(wait.seconds)));
}
