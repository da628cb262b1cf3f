// What is the matter.

function judged(pool) {
  const first = pool.waits.length ? pool.waits[0].seconds : 0;
  const blocked = pool.event_loop.blocked;
  const { timed_out: timedOut } = pool.timeline;
  const failures = failuresOf(pool.timeline);
  const recent = sum(timedOut.slice(-60));
  const failed = sum(failures.slice(-60));
  // Said by the box already, where it is blocked at this moment.
  const late = blocked.length ? 0 : pool.event_loop.lag_seconds ?? 0;
  const left = pool.holds.filter(isLeft).length;
  const overdue = pool.holds.filter((hold) => hold.overdue).length;
  const full = pool.max !== null && pool.used >= pool.max;
  const room = roomOf(pool.server);
  const crowded = room !== null && room.free < FREE_AT_LEAST * room.usable;
  const locked = pool.holds.filter((hold) => hold.diagnosis?.kind === "locked").length;
  const lost = pool.incidents.some((one) => one.kind === "lost" && pool.now - one.at < 300);
  const waiting = pool.waiting > 0 && !isBrief(pool);
  let level = "good";
  if (waiting || full || recent || failed || overdue || left || lost || late >= MUCH_TOO_LATE ||
      crowded || locked || (pool.utilization ?? 0) >= 0.8) {
    level = "warn";
  }
  if (blocked.length || sum(timedOut.slice(-10)) || sum(failures.slice(-10)) ||
      (pool.waiting && (first >= 1 || recent))) {
    level = "bad";
  }
  return {
    level, waiting, first, recent, failed, late, overdue, left, full, lost, blocked, room, crowded, locked,
  };
}

const MUCH_TOO_LATE = 1;
const BRIEF = 0.1; // what it may take to open a connection, or to test one
const FREE_AT_LEAST = 0.1; // of the sessions that the server has for ordinary roles

// Whether nobody waits for others, but only for a connection to be opened or tested.
function isBrief(pool) {
  return pool.waits.length > 0 &&
    pool.waits.every(({ stage, seconds }) => stage !== "queue" && seconds < BRIEF);
}

// What the server has left for ordinary roles, whoever asks first; null if that is not known.
function roomOf(server) {
  if (!server?.up || server.max_connections === null) return null;
  const usable = Math.max(0, server.max_connections - server.reserved_connections);
  return { usable, free: Math.max(0, usable - sessionsOf(server)) };
}
const sessionsOf = (server) => sum(server.sessions.map((each) => each.count));

// Whether what the server said of locks, a little earlier, may still be so.
function blocksOthers(hold) {
  if (!hold.server?.blocks) return false;
  return hold.activity !== "idle" || hold.activity_seconds >= hold.server.seconds_ago;
}
function waitsForLock(hold) {
  if (!hold.server?.blocked_by.length) return false;
  return hold.activity === "executing" && hold.activity_seconds >= hold.server.seconds_ago;
}

// An older service does not count them.
const failuresOf = (timeline) => timeline.failed ?? timeline.timed_out.map(() => 0);

// Proven to be a leak, however young.
const isLeft = (hold) => hold.diagnosis?.kind === "finished";

function situation(pool, found) {
  const used = pool.max === null
    ? `${plural(pool.used, "connection")} used, without a limit`
    : `${pool.used} of ${plural(pool.max, "connection")} used`;
  if (!pool.waiting) return `${used}, nobody waits`;
  if (!found.waiting) return `${used}, ${pool.waiting} being opened or tested`;
  const first = found.first ? `, the first for ${duration(found.first)}` : "";
  return `${used}, ${pool.waiting} waiting${first}`.replaceAll("\u00a0", " ");
}

function notes(found) {
  const said = [];
  if (found.recent) {
    said.push(`${found.recent} gave up waiting in the last minute.`);
  }
  if (found.failed) {
    said.push(`${plural(found.failed, "checkout")} failed in the last minute.`);
  }
  if (found.late >= MUCH_TOO_LATE) {
    said.push(`The event loop was late by ${duration(found.late)} in the last seconds.`);
  }
  if (found.overdue) {
    said.push(`${found.overdue} ${found.overdue === 1 ? "is" : "are"} held longer than the limit.`);
  }
  if (found.left) {
    said.push(`${found.left} ${found.left === 1 ? "has" : "have"} not been given back.`);
  }
  if (found.locked) {
    said.push(`${found.locked} ${found.locked === 1 ? "waits" : "wait"} for a lock.`);
  }
  if (found.crowded) {
    const { free, usable } = found.room;
    said.push(`The database server has ${free ? `only ${free}` : "none"} of its ` +
      `${plural(usable, "connection")} left.`);
  }
  if (found.lost) said.push("A connection was lost in the last five minutes.");
  return said.join(" ");
}

// Who has most of the connections, where that explains something.
function culprit(pool, found, groups) {
  if (found.level === "good" || !groups.length) return null;
  const late = groups.filter((group) =>
    group.members.some((hold) => hold.overdue || isLeft(hold)));
  const asked = found.full || found.first ? groups : late;
  if (!asked.length) return null;
  const top = asked.reduce((best, one) =>
    one.members.length > best.members.length ? one : best);
  return top.members.length * 4 >= pool.used || late.includes(top) ? top : null;
}
