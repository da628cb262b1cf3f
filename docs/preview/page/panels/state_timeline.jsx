// States over time. Drawn by us: @grafana/ui has no component for it.

import { formattedValueToString, getActiveThreshold, getFieldDisplayName } from "@grafana/data";
import { VizLayout, VizLegend, useTheme2 } from "@grafana/ui";
import { OrdinalPlot } from "./ordinal_plot.jsx";

const OPTIONS = { rowHeight: 0.9, showValue: "auto", mergeValues: true };
const LEGEND = { showLegend: true, displayMode: "list", placement: "bottom" };
const PADDING = 4;

export const USUAL = {
  custom: { lineWidth: 0, fillOpacity: 70, spanNulls: false, insertNulls: false },
};

export function StateTimeline({ panel, data, width, height, timeRange }) {
  const theme = useTheme2();
  const options = { ...OPTIONS, ...panel.options };
  const legend = { ...LEGEND, ...panel.options?.legend };
  const rows = data.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === "time");
    return frame.fields.filter((field) => field !== time).map((field) => ({
      field, name: getFieldDisplayName(field, frame, data), spans: spansOf(time, field, options),
    }));
  });
  const draw = (ctx, { x, y, ratio }) => {
    ctx.font = `${12 * ratio}px ${theme.typography.fontFamily}`;
    ctx.textBaseline = "middle";
    rows.forEach(({ field, spans }, index) => {
      const middle = rows.length - index - 0.5;
      const top = y(middle + options.rowHeight / 2);
      const tall = y(middle - options.rowHeight / 2) - top;
      for (const { from, to, text, color } of spans) {
        const left = x(from);
        const wide = x(to) - left;
        ctx.globalAlpha = field.config.custom.fillOpacity / 100;
        ctx.fillStyle = color;
        ctx.fillRect(left, top, wide, tall);
        ctx.globalAlpha = 1;
        const room = ctx.measureText(text).width + 2 * PADDING * ratio;
        if (options.showValue === "never" || (options.showValue === "auto" && room > wide)) continue;
        ctx.fillStyle = theme.colors.getContrastText(color, 3);
        ctx.fillText(text, left + PADDING * ratio, top + tall / 2);
      }
    });
  };
  const items = legendOf(rows, theme);
  const shown = legend.showLegend && (
    <VizLayout.Legend placement={legend.placement}>
      <VizLegend placement={legend.placement} displayMode={legend.displayMode} items={items} readonly />
    </VizLayout.Legend>
  );
  return (
    <VizLayout width={width} height={height} legend={shown || null}>
      {(wide, tall) => (
        <OrdinalPlot width={wide} height={tall} timeRange={timeRange} rows={rows.length} draw={draw}
          splits={rows.map((_, index) => rows.length - index - 0.5)}
          labels={rows.map(({ name }) => name)} />
      )}
    </VizLayout>
  );
}

// Neighbours of one state are one span; it lasts until the next value, but not over a gap.
function spansOf(time, field, options) {
  const spans = [];
  field.values.forEach((value, index) => {
    if (value === null || Number.isNaN(value)) return;
    const from = time.values[index];
    const next = time.values[index + 1] ?? Infinity;
    const to = Math.min(next, from + (time.config.interval ?? 0));
    const state = stateOf(field, value);
    const last = spans.at(-1);
    if (options.mergeValues && last?.to === from && last.text === state.text) last.to = to;
    else spans.push({ from, to, ...state });
  });
  return spans;
}

function stateOf(field, value) {
  const shown = field.display(value);
  if (field.type === "number" && isByThresholds(field) && !field.config.mappings?.length) {
    const step = getActiveThreshold(value, field.config.thresholds.steps);
    return { color: shown.color, text: rangeOf(field, step) };
  }
  return { color: shown.color, text: formattedValueToString(shown) };
}

function isByThresholds(field) {
  return field.config.color?.mode === "thresholds";
}

function rangeOf(field, step) {
  const { steps } = field.config.thresholds;
  const told = (value) => formattedValueToString(field.display(value));
  const index = steps.indexOf(step);
  if (index > 0) return `${told(step.value)}+`;
  return steps.length > 1 ? `< ${told(steps[1].value)}` : "";
}

function legendOf(rows, theme) {
  const items = new Map();
  for (const { field, spans } of rows) {
    if (isByThresholds(field) && !field.config.mappings?.length) {
      for (const step of field.config.thresholds.steps) {
        items.set(rangeOf(field, step), theme.visualization.getColorByName(step.color));
      }
    } else {
      for (const { text, color } of spans) items.set(text, color);
    }
  }
  return [...items].map(([label, color]) => ({ label, color, yAxis: 1 }));
}
