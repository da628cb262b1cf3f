// Small DOM.

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Each of these touches the document only if something has changed.
function say(node, text) {
  if (node.said === text) return;
  node.said = text;
  node.textContent = text;
}
function set(node, name, value) {
  const known = (node.known ??= {});
  if (known[name] === value) return;
  known[name] = value;
  if (value === null) node.removeAttribute(name);
  else node.setAttribute(name, value);
}
function style(node, name, value) {
  const known = (node.styled ??= {});
  if (known[name] === value) return;
  known[name] = value;
  node.style.setProperty(name, value);
}
function show(node, visible) {
  if (node.hasAttribute("hidden") === visible) node.toggleAttribute("hidden", !visible);
}

// A sentence of strings and, as arrays, of names that stand apart from it.
function tell(node, parts) {
  const key = JSON.stringify(parts);
  if (node.told === key) return;
  node.told = key;
  node.replaceChildren(...parts.filter((part) => part !== "").map((part) =>
    typeof part === "string" ? part : isolated(part[0], part[1] ?? "mono")));
}
// Names may be written from right to left, or try to turn what is around them.
function isolated(name, className) {
  const node = make("bdi", className, name);
  node.dir = "ltr";
  return node;
}

// Keeps the children of a list in step with the items: rows stay the nodes they are, so that
// what is open, focused or scrolled to remains so.
function keep(list, items, keyOf, create, update) {
  const rows = (list.kept ??= new Map()); // a table's body has rows of its own
  const wanted = new Map();
  for (const item of items) {
    let key = keyOf(item);
    while (wanted.has(key)) key += "+";
    wanted.set(key, item);
  }
  for (const [key, row] of rows) {
    if (wanted.has(key)) continue;
    row.node.remove();
    rows.delete(key);
  }
  let at = list.firstChild;
  for (const [key, item] of wanted) {
    let row = rows.get(key);
    if (!row) {
      row = create(item);
      rows.set(key, row);
      list.insertBefore(row.node, at);
    } else if (row.node === at) {
      at = at.nextSibling;
    } else {
      moved(list, row.node, at);
    }
    update(row, item);
  }
}
function moved(list, node, before) {
  if (list.moveBefore) {
    list.moveBefore(node, before); // keeps focus
    return;
  }
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  list.insertBefore(node, before);
  focused?.focus({ preventScroll: true });
}
