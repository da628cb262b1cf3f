// Groups: equal rows are one row with a count.

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = groups.get(key);
    if (group) group.members.push(item);
    else groups.set(key, { key, members: [item], first: item });
  }
  return [...groups.values()];
}
// Not by what is wrong with them: each grows into that, and its row would come and go.
const holdGroups = (holds) => grouped(holds, (hold) =>
  [hold.holder, placeText(hold.call_site), isLeft(hold)]).map((group) => {
  const told = group.members.filter((hold) => hold.diagnosis !== null);
  if (!told.length) return { ...group, diagnosis: null, diagnosed: 0 };
  const { parts: [kind], count } = commonest(told, (hold) => [hold.diagnosis.kind]);
  const { diagnosis } = told.find((hold) => hold.diagnosis.kind === kind);
  return { ...group, diagnosis, diagnosed: count };
});
const waitGroups = (waits) => grouped(waits, (wait) =>
  [wait.holder, placeText(wait.call_site), wait.stage, placeText(wait.nested_in)]);

function commonest(members, partsOf) {
  const counts = new Map();
  for (const member of members) {
    const parts = partsOf(member);
    const key = JSON.stringify(parts);
    const known = counts.get(key) ?? { parts, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  return [...counts.values()].reduce((top, one) => (one.count > top.count ? one : top));
}
