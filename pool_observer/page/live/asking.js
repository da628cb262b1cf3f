// Asking the service.

const EVERY = 1000;
const REFUSED_EVERY = 5000;
const PATIENCE = 10000; // then it is asked anew, and another worker may answer
const SOON_SILENT = 2000;
const FORGET_AFTER = 60000;

let paused = false;
let asking = null;
let timer = null;
let silentSince = null; // since when it owes an answer
let failure = null; // what is the matter, if that is known
let reachable = true;
let gaveUpAt = null; // when a worker had let us wait in vain

const running = () => !paused && !document.hidden;

async function ask() {
  clearTimeout(timer);
  if (asking || !running()) return;
  const mine = (asking = new AbortController());
  const startedAt = performance.now();
  const patience = setTimeout(() => {
    gaveUpAt = performance.now();
    mine.abort();
  }, PATIENCE);
  silentSince ??= startedAt;
  let every = EVERY;
  try {
    const response = await fetch(location.origin + location.pathname + location.search,
      { headers: { Accept: "application/json" }, cache: "no-store", signal: mine.signal });
    reachable = true;
    if (await taken(response)) every = EVERY;
    else every = REFUSED_EVERY;
  } catch (error) {
    if (asking === mine && error.name !== "AbortError") reachable = false;
  } finally {
    clearTimeout(patience);
    if (asking === mine) asking = null;
  }
  if (running()) timer = setTimeout(ask, Math.max(0, every - (performance.now() - startedAt)));
  tick();
}

// Whether it is to be asked again as usual.
async function taken(response) {
  if (response.status === 401 || response.status === 403) {
    silentSince = null;
    const said = (await response.text()).slice(0, 300).trim();
    failure = `You may not see the figures (${response.status}). ${said}`;
    return false;
  }
  if (!response.ok) {
    silentSince = null;
    const said = response.headers.get("content-type")?.startsWith("text/plain")
      ? (await response.text()).slice(0, 300).trim() : "";
    failure = `The service answers with an error (${response.status}). ${said}`;
    return true;
  }
  if (!response.headers.get("content-type")?.includes("json")) {
    silentSince = null;
    failure = "The service answers with something else than figures: a login page?";
    return false;
  }
  const figures = await response.json();
  silentSince = null;
  if (figures.schema !== 1) {
    failure = "The service speaks another version than this page. Load the page again.";
    return false;
  }
  try {
    learn(figures);
    failure = null;
  } catch (error) {
    failure = `This page fails to show the figures: ${error.message}`;
    console.error(error);
  }
  return true;
}

function learn(figures) {
  const now = performance.now();
  const id = idOf(figures);
  answers.set(id, { document: figures, at: now });
  for (const [other, answer] of answers) {
    if (now - answer.at > FORGET_AFTER) answers.delete(other);
  }
  if (!owing().length) gaveUpAt = null;
  if (!answers.has(shownId)) chosen = false;
  // A worker that answers no more may have been replaced by another one.
  if (!chosen && now - (answers.get(shownId)?.at ?? -Infinity) > turn()) shownId = id;
  showAnswer();
}

// Which one is asked is not ours to say: within this time, one of many is met again.
const turn = () => Math.min(5 * EVERY * answers.size, FORGET_AFTER);
// Whether others have answered for so long that it is blocked, or gone.
const isSilent = (answer) => [...answers.values()].some((other) =>
  other.at - answer.at > Math.max(PATIENCE, turn()));
// Those that may have been the one that let us wait: they have not answered since.
const owing = () => (gaveUpAt === null ? []
  : [...answers].filter(([, answer]) => answer.at < gaveUpAt).map(([id]) => id));

// Says how things stand between page and service.
function tick() {
  const now = performance.now();
  const answer = answers.get(shownId);
  const silence = silentSince === null || !running() ? 0 : now - silentSince;
  const silent = silence > SOON_SILENT || (silence > 0 && !reachable);
  const waitingFor = owing();
  const stale = Boolean(answer) && running() && isSilent(answer);
  const troubled = running() && (silent || failure !== null || waitingFor.length > 0 || stale);
  if (silent) {
    const seconds = `${Math.floor(silence / 1000)} s`;
    say(page.trouble, reachable
      ? `No answer for ${seconds}: the event loop may be blocked.`
      : `No answer for ${seconds}: the service cannot be reached.`);
  } else if (failure !== null) {
    say(page.trouble, failure);
  } else if (waitingFor.length) {
    const who = waitingFor.length === 1 ? `Worker process ${nameOf(waitingFor[0])}`
      : `One of the worker processes ${waitingFor.map(nameOf).join(", ")}`;
    say(page.trouble, `${who} gave no answer for ${PATIENCE / 1000} s: its event loop may be ` +
      `blocked. ${waitingFor.includes(shownId) ? "Others answer." : `Shown is ${nameOf(shownId)}.`}`);
  } else if (stale) {
    say(page.trouble, `No figures of worker process ${nameOf(shownId)} since ` +
      `${clockTime(answer.document.at)}: others answer.`);
  }
  if (troubled && page.trouble.hidden) say(page.announcement, page.trouble.textContent);
  if (!troubled && !page.trouble.hidden) announced = null;
  show(page.trouble, troubled);
  document.body.classList.toggle("silent", silent || failure !== null || stale);
  document.body.classList.toggle("paused", paused);
  const age = answer ? (now - answer.at) / 1000 : null;
  const from = answer ? clockTime(answer.document.at) : "";
  say(page.freshness, age === null ? (paused ? "paused" : "no figures yet")
    : paused ? `paused at ${from}`
      : age > 2.5 ? `as of ${from}, ${duration(age)} ago` : `live, ${from}`);
}

page.pause.addEventListener("click", () => {
  paused = !paused;
  say(page.pause, paused ? "Resume" : "Pause");
  resumed();
});
document.addEventListener("visibilitychange", resumed);

function resumed() {
  silentSince = null;
  reachable = true;
  if (running()) {
    ask();
  } else {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
  }
  tick();
}

show(page.freshness, true);
show(page.pause, true);
setInterval(tick, 500);
ask();
