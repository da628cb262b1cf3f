// The page.

const byId = (id) => document.getElementById(id);
const page = {
  pools: byId("pools"), nav: byId("pools-nav"), processes: byId("processes"),
  trouble: byId("trouble"), freshness: byId("freshness"), pause: byId("pause"),
  origin: byId("origin"), nothing: byId("nothing"), announcement: byId("announcement"),
  icon: document.querySelector("link[rel=icon]"),
};
const answers = new Map(); // the latest of each worker process, by its id
let shownId = null;
let chosen = false; // by whoever looks; else it follows those who answer

// Processes of several containers may have the same pid; older services tell nothing else.
const idOf = ({ process }) => String(process.id ?? process.pid);
const pidOf = (id) => answers.get(id).document.process.pid;

function nameOf(id) {
  const pid = pidOf(id);
  const alone = [...answers.keys()].every((other) => other === id || pidOf(other) !== pid);
  return alone ? String(pid) : `${pid} (${id.slice(0, 6)})`;
}

function levelOf(answer) {
  return answer.document.pools.map((pool) => judged(pool).level)
    .reduce((worst, level) => (LEVELS.indexOf(level) > LEVELS.indexOf(worst) ? level : worst), "good");
}

function showAnswer() {
  const answer = answers.get(shownId);
  if (!answer) return;
  const { pools, process } = answer.document;
  for (const pool of pools) pool.now = answer.document.at;
  keep(page.pools, pools, (pool) => pool.name, createPool, updatePool);
  show(page.nothing, pools.length === 0);
  say(page.nothing, "No pool is observed.");
  showProcesses();
  showPoolsNav(pools);
  say(page.origin, `Process ${nameOf(shownId)}, pool_observer ${process.version}, ` +
    `figures from ${clockTime(answer.document.at)}. Times are in your browser's time zone.`);
  announce(pools, levelOf(answer));
}

function showProcesses() {
  show(page.processes, answers.size > 1);
  if (!page.processes.firstChild) page.processes.append(make("span", "", "Worker process"), make("ul"));
  const list = page.processes.lastChild;
  list.className = "legend";
  const inOrder = [...answers.keys()].sort((one, other) =>
    pidOf(one) - pidOf(other) || (one < other ? -1 : 1));
  keep(list, inOrder, (id) => id,
    (id) => {
      const button = make("button");
      button.type = "button";
      button.addEventListener("click", () => {
        shownId = id;
        chosen = true;
        showAnswer();
      });
      return { node: make("li", "", button), button };
    },
    (row, id) => {
      const answer = answers.get(id);
      const level = levelOf(answer);
      const state = isSilent(answer) ? `no answer since ${clockTime(answer.document.at)}`
        : level === "good" ? "" : LEVEL_WORDS[level].toLowerCase();
      say(row.button, state ? `${nameOf(id)}: ${state}` : nameOf(id));
      set(row.button, "aria-pressed", String(id === shownId));
    });
}

function showPoolsNav(pools) {
  show(page.nav, pools.length > 1);
  if (pools.length < 2) return;
  keep(page.nav, pools, (pool) => pool.name,
    (pool) => {
      const link = make("a");
      link.href = `#${page.pools.kept.get(pool.name)?.title.id ?? "pools"}`;
      return { node: link };
    },
    (row, pool) => tell(row.node, [[pool.name, "mono"],
      ` ${LEVEL_WORDS[judged(pool).level].toLowerCase()}`]));
}

// Read out when something has changed that is worth interrupting for, not at every figure.
let announced = null;
function announce(pools, level) {
  const state = JSON.stringify(pools.map((pool) => {
    const found = judged(pool);
    return [pool.name, found.level, found.waiting, found.full, found.blocked.length > 0];
  }));
  const worst = pools.find((pool) => judged(pool).level === level);
  const word = worst ? `${worst.used}${worst.max === null ? "" : `/${worst.max}`}` : "";
  const waiting = worst && judged(worst).waiting ? `, ${worst.waiting} waiting` : "";
  document.title = worst ? `${word}${waiting} \u00b7 ${worst.name.slice(0, 80)}` : "Connections";
  if (state === announced) return;
  announced = state;
  say(page.announcement, pools.map((pool) => {
    const found = judged(pool);
    return `${pool.name.slice(0, 80)}: ${LEVEL_WORDS[found.level]}. ${situation(pool, found)}.`;
  }).join(" "));
  const colour = { good: "#1a7a36", warn: "#d99a1c", bad: "#d2323c" }[level];
  const [shape, sign] = SIGNS[level];
  page.icon.href = `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><path fill="${colour}" d="${shape}"/>` +
    `<path fill="none" stroke="#fff" stroke-width="2.4" d="${sign}"/></svg>`)}`;
}
