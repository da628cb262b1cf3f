// The buckets of a histogram over time. Drawn by us: @grafana/ui has no component for it.

import { formattedValueToString, getValueFormat } from "@grafana/data";
import { useTheme2 } from "@grafana/ui";
import * as schemes from "d3-scale-chromatic";
import { OrdinalPlot } from "./ordinal_plot.jsx";

const COLOR = {
  mode: "scheme", scheme: "Oranges", steps: 64, reverse: false, exponent: 0.5, fill: "dark-orange",
};
const LEGEND_HEIGHT = 28;
const GAP = 1;

export function Heatmap({ panel, data, width, height, timeRange }) {
  const theme = useTheme2();
  const { options } = panel;
  if (options.calculate) throw Error("a heatmap that calculates its buckets");
  const color = { ...COLOR, ...options.color };
  const least = options.filterValues?.le ?? 1e-9;
  const values = data.flatMap((frame) => frame.fields[1].values).filter((value) => value > least);
  const most = color.max ?? Math.max(...values, 0);
  const low = color.min ?? Math.min(...values, most);
  const colors = paletteOf(color, theme);
  const shade = (value) => colors[Math.min(colors.length - 1, Math.max(0,
    Math.floor(((value - low) / (most - low || 1)) * colors.length)))];
  const edges = data.map((frame) => frame.fields[1].config.displayNameFromDS);
  const bound = labelOf(options.yAxis);
  const draw = (ctx, { x, y }) => {
    data.forEach((frame, row) => {
      const [time, counts] = frame.fields;
      counts.values.forEach((count, index) => {
        if (!(count > least)) return;
        ctx.fillStyle = shade(count);
        const left = x(time.values[index] - time.config.interval);
        const top = y(row + 1);
        ctx.fillRect(left, top, Math.max(x(time.values[index]) - left - GAP, 1), y(row) - top - GAP);
      });
    });
  };
  const withLegend = options.legend?.show ?? true;
  const unit = labelOf(options.cellValues);
  return (
    <>
      <OrdinalPlot width={width} height={height - (withLegend ? LEGEND_HEIGHT : 0)}
        timeRange={timeRange} rows={data.length} draw={draw}
        splits={edges.map((_, index) => index + 1)} labels={edges.map(bound)} />
      {withLegend && (
        <div className="scale">
          {unit(low)}
          <span style={{ background: `linear-gradient(to right, ${colors.join(", ")})` }} />
          {unit(most)}
        </div>
      )}
    </>
  );
}

function labelOf({ unit, decimals } = {}) {
  const format = getValueFormat(unit ?? "short");
  return (text) => {
    const value = Number(text);
    return Number.isNaN(value) ? text : formattedValueToString(format(value, decimals));
  };
}

// In the dark theme the faint end of a scheme is its dark one, as Grafana has it.
function paletteOf({ mode, scheme, steps, reverse, exponent, fill }, theme) {
  const shares = Array.from({ length: steps }, (_, index) => index / (steps - 1));
  if (mode === "opacity") {
    const hue = theme.visualization.getColorByName(fill);
    return shares.map((share) =>
      `color-mix(in srgb, ${hue} ${100 * share ** exponent}%, transparent)`);
  }
  const interpolate = schemes[`interpolate${scheme}`];
  if (!interpolate) throw Error(`unknown colour scheme ${scheme}`);
  const colors = shares.map(interpolate);
  return reverse !== (theme.isDark && DARKENED.has(scheme)) ? colors.reverse() : colors;
}

const DARKENED = new Set(["Blues", "Greens", "Greys", "Oranges", "Purples", "Reds", "BuGn", "BuPu",
  "GnBu", "OrRd", "PuBu", "PuBuGn", "PuRd", "RdPu", "YlGn", "YlGnBu", "YlOrBr", "YlOrRd"]);
