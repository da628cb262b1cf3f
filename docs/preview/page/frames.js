// Makes Grafana's data frames of the answers of Prometheus.

import { FieldType, createDataFrame } from "@grafana/data";

const NOT_NUMBERS = { NaN, "+Inf": Infinity, "-Inf": -Infinity };

export function framesOf(answers) {
  const tables = answers.filter(({ target }) => target.format === "table");
  return answers.flatMap((answer) => {
    if (answer.target.format === "table") return [table(answer, tables.length > 1)];
    if (answer.target.format === "heatmap") return bucketFrames(answer);
    return seriesFrames(answer);
  });
}

// One frame for each series, named by the legend.
function seriesFrames(answer) {
  const { refId } = answer.target;
  return answer.result.map((series) => {
    const points = series.values ?? [series.value];
    const named = legendOf(answer, series.metric);
    return createDataFrame({
      refId,
      name: named,
      meta: { type: "timeseries-multi", preferredVisualisationType: "graph" },
      fields: [
        {
          name: "Time", type: FieldType.time, values: points.map(milliseconds),
          config: answer.instant ? {} : { interval: answer.step * 1000 },
        },
        {
          name: "Value", type: FieldType.number, values: points.map(number),
          labels: series.metric, config: named ? { displayNameFromDS: named } : {},
        },
      ],
    });
  });
}

// One frame for all series: a column for each label and one for the value.
function table(answer, severalTables) {
  const { refId } = answer.target;
  const labels = [...new Set(answer.result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const rows = answer.result.flatMap((series) =>
    (series.values ?? [series.value]).map((point) => ({ labels: series.metric, point })));
  return createDataFrame({
    refId,
    meta: { preferredVisualisationType: "table" },
    fields: [
      { name: "Time", type: FieldType.time, values: rows.map(({ point }) => milliseconds(point)) },
      ...labels.map((label) => ({
        name: label, type: FieldType.string, config: { filterable: true },
        values: rows.map((row) => row.labels[label] ?? ""),
      })),
      {
        name: severalTables ? `Value #${refId}` : "Value", type: FieldType.number,
        values: rows.map(({ point }) => number(point)),
      },
    ],
  });
}

// The buckets of a histogram are counted from below; each frame is one bucket by itself.
function bucketFrames(answer) {
  const frames = seriesFrames(answer)
    .filter((frame) => frame.fields[1].labels.le !== undefined)
    .sort((one, other) => bound(one) - bound(other));
  if (frames.length < answer.result.length) throw Error("a heatmap of series without le");
  const counts = frames.map((frame) =>
    new Map(frame.fields[0].values.map((time, index) => [time, frame.fields[1].values[index]])));
  return frames.map((frame, index) => createDataFrame({
    ...frame,
    fields: [frame.fields[0], {
      ...frame.fields[1],
      config: { displayNameFromDS: frame.fields[1].labels.le },
      values: frame.fields[0].values.map((time) =>
        Math.max(0, counts[index].get(time) - (counts[index - 1]?.get(time) ?? 0))),
    }],
  }));
}

function bound(frame) {
  return number([0, frame.fields[1].labels.le]);
}

function legendOf({ target, expression }, labels) {
  const format = target.legendFormat;
  if (format === "__auto") return Object.keys(labels).length ? "" : expression;
  if (format) {
    return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] ?? "");
  }
  const { __name__: name = "", ...others } = labels;
  const told = Object.entries(others).map(([label, value]) => `${label}="${value}"`).join(", ");
  return name || told ? `${name}{${told}}` : expression;
}

function milliseconds([seconds]) {
  return Math.round(seconds * 1000);
}

function number([, text]) {
  return NOT_NUMBERS[text] ?? Number(text);
}
