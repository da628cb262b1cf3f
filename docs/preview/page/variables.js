// Puts what it stands for in the place of a variable, in links and names.

const PLACE = /\$\{([^}:]+)(?::(\w+))?\}|\$(\w+)/g;

export function replacerOf({ variables, from, to }) {
  const values = {
    __from: String(Math.round(from)), __to: String(Math.round(to)),
    __url_time_range: `from=${Math.round(from)}&to=${Math.round(to)}`,
    __all_variables: variables.map(inAddress).join("&"),
  };
  return (text, scoped) => (text ?? "").replace(PLACE, (place, braced, format, bare) => {
    const name = braced ?? bare;
    if (name in values) return values[name];
    const variable = variables.find((each) => each.name === name);
    if (variable) return format === "queryparam" ? inAddress(variable) : variable.text;
    return fromData(name, scoped?.__dataContext?.value) ?? place;
  });
}

function inAddress({ name, chosen }) {
  return chosen.map((value) => `var-${name}=${encodeURIComponent(value)}`).join("&");
}

function fromData(name, context) {
  if (!context) return undefined;
  const { frame, field, rowIndex } = context;
  const column = /^__data\.fields(?:\.(\w+)|\["(.+)"\])/.exec(name);
  if (column) {
    const wanted = column[1] ?? column[2];
    const found = frame.fields.find((each) =>
      [each.name, each.config.displayName, each.state?.displayName].includes(wanted));
    if (!found) throw Error(`a link asks for ${name}, and there is no such column`);
    return String(found.values[rowIndex ?? 0]);
  }
  const label = /^__field\.labels(?:\.(\w+)|\["(.+)"\])/.exec(name);
  if (label) return field.labels?.[label[1] ?? label[2]];
  if (name === "__value.raw") return String(field.values[rowIndex ?? 0]);
  if (name === "__value.text") return field.display(field.values[rowIndex ?? 0]).text;
  if (name === "__field.name" || name === "__series.name") return field.state?.displayName ?? field.name;
  return undefined;
}
