// Finds what a panel has no room for.

const SLACK = 2; // pixels by which browsers round

export function cutOff(place) {
  const found = new Set();
  for (const element of place.querySelectorAll("*")) {
    if (element.clientWidth <= SLACK) continue; // for screen readers alone
    const { textOverflow, overflowX, overflowY } = getComputedStyle(element);
    const wide = element.scrollWidth > element.clientWidth + SLACK;
    const tall = element.scrollHeight > element.clientHeight + SLACK;
    if (textOverflow === "ellipsis" || (overflowX === "hidden" && isText(element))) {
      if (wide) found.add(`"${element.textContent}" is cut off`);
    } else if (scrolls(overflowY) && tall) {
      found.add("has to be scrolled down");
    } else if (scrolls(overflowX) && wide) {
      found.add("has to be scrolled sideways");
    }
  }
  return [...found];
}

function isText({ childNodes }) {
  return [...childNodes].some(({ nodeType }) => nodeType === Node.TEXT_NODE);
}

function scrolls(overflow) {
  return overflow === "auto" || overflow === "scroll";
}
