"use strict";

// Nothing here ever parses a name as HTML: all that comes from the service becomes text nodes.

// Small words.

const ACTIVITIES = ["executing", "in_transaction", "idle"];
const ACTIVITY_WORDS = {
  executing: "executing", in_transaction: "in transaction", idle: "idle",
};
const PHASE_WORDS = {
  response: "while the response is sent", background: "in a background task",
  detached: "outlives its request",
};
const KIND_WORDS = {
  idle: "Idle", idle_in_transaction: "Idle in transaction", long_query: "Long query",
  streaming: "Held while streaming", second_connection: "Waits for a second connection",
  finished: "Not given back", loop_blocked: "Event loop blocked", lost: "Lost",
  locked: "Waits for a lock",
};
const INCIDENT_WORDS = {
  timed_out: "Timed out", failed: "Failed", overdue: "Overdue", returned: "Given back after all",
  lost: "Lost", loop_blocked: "Event loop blocked",
};
const DOING_WORDS = { awaiting: "awaiting", running: "running", blocked: "blocked in" };
const STAGE_WORDS = {
  queue: "waiting in the queue", connect: "opening a connection", ping: "testing a connection",
};
const SESSION_WORDS = {
  active: "active", idle: "idle", idle_in_transaction: "idle in transaction",
  aborted: "in an aborted transaction", unknown: "in a state that may not be seen",
};
const LEVEL_WORDS = { good: "Healthy", warn: "Attention", bad: "In trouble" };
const LEVELS = ["good", "warn", "bad"];

const styleName = (activity) => activity.replaceAll("_", "-");
const worded = (words, key) => (Object.hasOwn(words, key) ? words[key] : String(key));
const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const ended = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const most = (numbers) => numbers.reduce((top, number) => Math.max(top, number), 0);

// With spaces that do not break: a unit belongs to its number.
function duration(seconds) {
  if (seconds === null || seconds === undefined) return "unknown";
  if (seconds < 0.0995) return `${Math.max(0, Math.round(seconds * 1000))}\u00a0ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)}\u00a0s`;
  if (seconds < 119.5) return `${Math.round(seconds)}\u00a0s`;
  const whole = Math.round(seconds);
  const padded = (number) => String(number).padStart(2, "0");
  if (whole < 3600) {
    return `${Math.floor(whole / 60)}\u00a0min${whole % 60 ? ` ${padded(whole % 60)}\u00a0s` : ""}`;
  }
  return `${Math.floor(whole / 3600)}\u00a0h ${padded(Math.floor((whole % 3600) / 60))}\u00a0min`;
}

// Nobody needs more of what is looked at every few seconds.
const ago = (seconds) =>
  `${seconds < 9.5 ? `${Math.max(0, Math.round(seconds))}\u00a0s` : duration(seconds)}\u00a0ago`;

function amount(number) {
  if (Number.isInteger(number)) return String(number);
  if (number < 0.095) return number < 0.005 ? "< 0.01" : number.toFixed(2);
  return number < 99.95 ? number.toFixed(1) : String(Math.round(number));
}

const CLOCK = new Intl.DateTimeFormat([], { timeStyle: "medium", hourCycle: "h23" });
const clockTime = (unix) => CLOCK.format(unix * 1000);
