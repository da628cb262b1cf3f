// Holds.

function createSplit(className) {
  const node = make("div", className);
  const pieces = ACTIVITIES.map((activity) => make("i", styleName(activity)));
  node.append(...pieces);
  return { node, pieces };
}
function updateSplit(split, item, whole) {
  ACTIVITIES.forEach((activity, index) => {
    const share = whole > 0 ? item[`${activity}_seconds`] / whole : 0;
    style(split.pieces[index], "width", `${(100 * Math.min(1, share)).toFixed(1)}%`);
  });
}

function createHold() {
  const view = {
    age: make("b"), count: make("span", "count"), split: createSplit("split"),
    doing: make("p", "small"), holder: make("p", "holder clamp"), tags: make("ul", "tags"),
    now: make("p", "small long"), taken: make("p", "small long"), kind: make("p", "kind long"),
    text: make("p", "small long"), mend: make("p", "mend small long"),
    meta: make("p", "small long"), session: createSession(),
    summary: make("summary"), members: make("ul", "members"),
  };
  view.why = make("div", "why", view.kind, view.text, view.mend);
  view.details = make("details", "each", view.summary, view.members);
  view.details.addEventListener("toggle", () => updateMembers(view));
  view.node = make("li", "row hold",
    make("div", "", make("p", "age", view.age, view.count), view.split.node, view.doing),
    make("div", "", view.holder, view.tags, view.now, view.taken, view.meta,
      view.session.node),
    view.why, view.details);
  return view;
}

function updateHold(view, group, longest) {
  const { first, members } = group;
  const count = members.length;
  view.group = group;
  say(view.age, duration(first.seconds));
  show(view.count, count > 1);
  say(view.count, `${count} \u00d7`);
  updateSplit(view.split, first, longest);
  say(view.doing, count === 1 ? `${worded(ACTIVITY_WORDS, first.activity)} for ${duration(first.activity_seconds)}`
    : activities(members));
  tell(view.holder, [[first.holder, "name"]]);
  set(view.holder, "title", first.holder.length > 80 ? first.holder : null);
  updateTags(view, members);

  const usual = commonest(members, (hold) => standingParts(hold.standing));
  show(view.now, usual.parts.length > 0);
  tell(view.now, [["now", "label"], usual.count < count ? ` ${usual.count} at ` : " ",
    ...usual.parts]);
  show(view.taken, first.call_site !== null);
  tell(view.taken, [["taken at", "label"], " ", ...placeParts(first.call_site)]);
  const { diagnosis } = group;
  show(view.why, diagnosis !== null);
  show(view.mend, Boolean(diagnosis?.mend));
  if (diagnosis) {
    const kind = worded(KIND_WORDS, diagnosis.kind);
    const saysIt = diagnosis.text.toLowerCase().startsWith(kind.toLowerCase());
    const some = group.diagnosed < count ? `${group.diagnosed} of ${count}: ` : "";
    tell(view.kind, [some, ...prose(saysIt ? capital(diagnosis.text) : kind)]);
    show(view.text, !saysIt && diagnosis.text !== "");
    tell(view.text, prose(ended(capital(diagnosis.text))));
    tell(view.mend, prose(ended(capital(diagnosis.mend))));
  }
  show(view.meta, count === 1);
  show(view.details, count > 1);
  if (count === 1) {
    say(view.meta, particulars(first).join(" \u00b7 "));
  } else {
    const last = members[count - 1];
    say(view.summary, allOf(count, first, last));
  }
  updateSession(view.session, tellingSession(members), count > 1);
  updateMembers(view);
}

function allOf(count, first, last) {
  const [longest, shortest] = [duration(first.seconds), duration(last.seconds)];
  return longest === shortest ? `All ${count}, each for ${longest}`
    : `All ${count}, from ${longest} to ${shortest}`;
}

function activities(members) {
  return ACTIVITIES.map((activity) =>
    [members.filter((hold) => hold.activity === activity).length, ACTIVITY_WORDS[activity]])
    .filter(([count]) => count).map(([count, word]) => `${count} ${word}`).join(", ");
}

function updateTags(view, members) {
  const late = members.filter((hold) => hold.overdue);
  const tags = lockTags(members);
  if (late.length) {
    const { limit_seconds: limit, limit_reason: reason } = late[0];
    const which = members.length > 1 ? `${late.length} overdue` : "overdue";
    tags.push([limit === null ? which : `${which}, limit ${duration(limit)}`, "tag late"]);
    if (reason) tags.push([`limit: ${reason}`, "tag"]);
  } else if (members[0].limit_reason) {
    const { limit_seconds: limit, limit_reason: reason } = members[0];
    tags.push([`${limit === null ? "no limit" : `limit ${duration(limit)}`}: ${reason}`, "tag"]);
  }
  const { phase } = members[0];
  if (phase && phase !== "handler") tags.push([worded(PHASE_WORDS, phase), "tag"]);
  view.node.classList.toggle("late", late.length > 0);
  view.node.classList.toggle("culprit", members.some(blocksOthers));
  show(view.tags, tags.length > 0);
  const key = JSON.stringify(tags);
  if (view.tags.told === key) return;
  view.tags.told = key;
  view.tags.replaceChildren(...tags.map(([text, className]) =>
    make("li", className, isolated(text, "clamp"))));
}

function particulars(hold) {
  const said = [];
  if (hold.backend_pid !== null) said.push(`backend PID ${hold.backend_pid}`);
  if (hold.waited_seconds >= 0.001) said.push(`waited ${duration(hold.waited_seconds)} for it`);
  said.push(`since ${clockTime(hold.began_at)}`);
  if (hold.trace_id) said.push(`trace ${hold.trace_id}`);
  return said;
}

function updateMembers(view) {
  if (!view.details.open || view.group.members.length < 2) return;
  keep(view.members, view.group.members, (hold) => hold.id,
    () => {
      const age = make("b");
      const text = make("span");
      const session = createSession();
      return { node: make("li", "", age, text, session.node), age, text, session };
    },
    (row, hold) => {
      say(row.age, duration(hold.seconds));
      const where = standingParts(hold.standing);
      tell(row.text, [` ${worded(ACTIVITY_WORDS, hold.activity)} for ${duration(hold.activity_seconds)}`,
        hold.overdue ? ", overdue" : "", where.length ? ", " : "", ...where,
        ` \u00b7 ${particulars(hold).join(" \u00b7 ")}`]);
      updateSession(row.session, hold);
    });
}
