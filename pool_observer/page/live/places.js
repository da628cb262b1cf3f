// Places.

const placeText = (place) => (place ? `${place.file}:${place.line} in ${place.function}` : "");
const placeParts = (place) =>
  place ? [[`${place.file}:${place.line}`], " in ", [place.function]] : [];

// What we say ourselves, with code between backticks.
const prose = (text) => text.split(/`([^`\n]+)`/)
  .map((part, index) => (index % 2 ? [part] : part));

function standingParts(standing) {
  if (!standing) return [];
  if (standing.doing === "finished") return ["its task has finished"];
  const doing = worded(DOING_WORDS, standing.doing);
  const first = standing.at ?? standing.calling ?? standing.innermost;
  if (!first) return [doing];
  const next = standing.at ? standing.calling ?? standing.innermost : null;
  if (!next || placeText(next) === placeText(first)) {
    return [...placeParts(first), `, ${doing === "blocked in" ? "blocked" : doing}`];
  }
  return [...placeParts(first), `, ${doing} `, ...placeParts(next)];
}
