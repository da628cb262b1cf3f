// A plot on Grafana's axes of what @grafana/ui has no component for: rows over time.

import { UPlotChart, UPlotConfigBuilder, useTheme2 } from "@grafana/ui";
import { useMemo } from "react";

const LABEL_HEIGHT = 16;
const ROOM_FOR_LAST_LABEL = 24;

// `rows` is how many there are, `splits` where the labels stand, and `draw` paints.
export function OrdinalPlot({ width, height, timeRange, rows, splits, labels, draw }) {
  const theme = useTheme2();
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const config = useMemo(() => {
    const builder = new UPlotConfigBuilder("utc");
    builder.addScale({
      scaleKey: "x", isTime: true, orientation: 0, direction: 1, range: () => [from, to],
    });
    builder.addScale({ scaleKey: "y", orientation: 1, direction: 1, range: () => [0, rows] });
    builder.addAxis({
      scaleKey: "x", isTime: true, placement: "bottom", timeZone: "utc", theme,
      grid: { show: false },
    });
    builder.addAxis({
      scaleKey: "y", placement: "left", theme, grid: { show: false }, ticks: { show: false },
      splits: () => splits, values: (plot) => thinned(labels, plot.bbox.height / devicePixelRatio),
    });
    builder.addSeries({
      scaleKey: "y", theme, pathBuilder: () => null, pointsBuilder: () => undefined,
      showPoints: "never", lineColor: "transparent",
    });
    builder.setPadding([null, ROOM_FOR_LAST_LABEL, null, null]);
    builder.addHook("draw", (plot) => {
      plot.ctx.save();
      draw(plot.ctx, {
        x: (moment) => Math.min(Math.max(plot.valToPos(moment, "x", true), plot.bbox.left),
          plot.bbox.left + plot.bbox.width),
        y: (row) => plot.valToPos(row, "y", true),
        ratio: devicePixelRatio,
      });
      plot.ctx.restore();
    });
    return builder;
  }, [from, to, rows, splits, labels, draw, theme]);
  return <UPlotChart config={config} data={[[from, to], [0, rows]]} width={width} height={height} />;
}

// So many labels as there is room for.
function thinned(labels, height) {
  const every = Math.ceil((labels.length * LABEL_HEIGHT) / height);
  return labels.map((label, index) => (labels.length - 1 - index) % every ? "" : label);
}
