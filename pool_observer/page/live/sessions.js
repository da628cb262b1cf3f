// What the database server says of a hold.

function createSession() {
  const said = make("span");
  const age = make("span", "label");
  return { node: make("p", "small long", said, age), said, age };
}

// The age stands apart: it changes each second, and the rest only when the server is asked again.
function updateSession(view, hold, isOneOfMany = false) {
  const server = hold?.server ?? null;
  show(view.node, server !== null);
  if (server === null) return;
  const which = isOneOfMany ? `, PID ${hold.backend_pid}` : "";
  tell(view.said, [[`on the server${which}:`, "label"], " ", ...sessionParts(server)]);
  say(view.age, ` \u00b7\u00a0${ago(server.seconds_ago)}`);
}

// The one of many that most others wait for, or else one that waits.
function tellingSession(members) {
  if (members.length === 1) return members[0];
  const blocking = members.filter(blocksOthers);
  if (!blocking.length) return members.find(waitsForLock) ?? null;
  return blocking.reduce((top, one) => (one.server.blocks > top.server.blocks ? one : top));
}

const WORTH_SAYING = 0.5; // seconds that a transaction is older than what its session does now

function sessionParts(server) {
  const said = [doingOf(server)];
  const transaction = server.transaction_seconds;
  if (transaction !== null && transaction - (server.state_seconds ?? 0) > WORTH_SAYING) {
    said.push(`, transaction open for ${duration(transaction)}`);
  }
  const [first, ...others] = server.blocked_by;
  if (server.waits_for !== null) said.push(", waits for ", [server.waits_for]);
  else if (first) said.push(", waits for a lock");
  if (first) said.push(" of ", ...blockerParts(first));
  if (others.length) said.push(` and ${others.length} more`);
  if (server.blocks) {
    said.push(`, ${plural(server.blocks, "session waits", "sessions wait")} for its locks`);
  }
  return said;
}

const doingOf = ({ state, state_seconds: seconds }) =>
  `${worded(SESSION_WORDS, state)}${seconds === null ? "" : ` for ${duration(seconds)}`}`;

function blockerParts(blocker) {
  if (blocker.pid === 0) return ["a prepared transaction"];
  const known = [` (process ${blocker.pid}`];
  if (blocker.holder === null) {
    if (blocker.user) known.push(", user ", [blocker.user]);
    if (blocker.application) known.push(", application ", [blocker.application]);
  }
  known.push(blocker.state === null ? ")" : `, ${doingOf(blocker)})`);
  return [blocker.holder === null ? "another client" : [blocker.holder], ...known];
}

// Whoever blocks others is the one to look at first, then whoever is blocked.
function lockTags(members) {
  const tags = [];
  const of = members.length > 1 ? (some) => `${some.length} of ${members.length} ` : () => "";
  const blocking = members.filter(blocksOthers);
  if (blocking.length > 1) tags.push([`${of(blocking)}block others`, "tag culprit"]);
  else if (blocking.length) {
    const whom = plural(blocking[0].server.blocks, "session");
    tags.push([`${of(blocking)}blocks ${whom}`, "tag culprit"]);
  }
  const waiting = members.filter(waitsForLock);
  if (waiting.length) {
    const verb = waiting.length > 1 ? "wait" : "waits";
    tags.push([`${of(waiting)}${verb} for a lock`, "tag victim"]);
  }
  return tags;
}
