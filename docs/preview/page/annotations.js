// The marks on time axes, from the answers of a dashboard's annotations.

// Points that follow each other step by step are one time; a point of value 0 is none.
export function marksOf(annotations) {
  return annotations.flatMap(({ result, step, iconColor }) => result.flatMap(({ values }) => {
    const marks = [];
    for (const [seconds, value] of values) {
      if (!Number(value)) continue;
      const at = seconds * 1000;
      const last = marks.at(-1);
      if (last && at - last.to <= step * 1000) last.to = at;
      else marks.push({ from: at, to: at, color: iconColor ?? "red" });
    }
    return marks;
  }));
}
