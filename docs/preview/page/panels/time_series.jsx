// Series over time, with the marks of the dashboard's annotations.

import { TimeSeries, useTheme2 } from "@grafana/ui";
import { useLayoutEffect, useMemo } from "react";

const LEGEND = { showLegend: true, displayMode: "list", placement: "bottom", calcs: [] };

export const USUAL = {
  color: { mode: "palette-classic" },
  custom: {
    drawStyle: "line", lineInterpolation: "linear", lineWidth: 1, fillOpacity: 0,
    gradientMode: "none", barAlignment: 0, barWidthFactor: 0.6, showPoints: "auto", pointSize: 5,
    stacking: { mode: "none", group: "A" }, axisPlacement: "auto", axisLabel: "",
    axisColorMode: "text", axisBorderShow: false, axisGridShow: true, axisCenteredZero: false,
    scaleDistribution: { type: "linear" }, thresholdsStyle: { mode: "off" }, spanNulls: false,
    insertNulls: false, hideFrom: { tooltip: false, viz: false, legend: false },
  },
};

export function Series({ panel, data, width, height, timeRange, marks }) {
  const frames = useMemo(() => data.map(finite), [data]);
  return (
    <TimeSeries frames={frames} structureRev={1} width={width} height={height}
      timeRange={timeRange} timeZone="utc" options={panel.options}
      legend={{ ...LEGEND, ...panel.options?.legend }}>
      {(config) => <Marks config={config} marks={marks} />}
    </TimeSeries>
  );
}

// Grafana draws gaps where a value is no number.
function finite(frame) {
  return {
    ...frame,
    fields: frame.fields.map((field) => field.type !== "number" ? field
      : { ...field, values: field.values.map((value) => Number.isFinite(value) ? value : null) }),
  };
}

// Grafana's own are a part of its server's pages; these look much the same.
function Marks({ config, marks }) {
  const theme = useTheme2();
  useLayoutEffect(() => {
    config.addHook("draw", (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      for (const { from, to, color } of marks) {
        const left = Math.max(plot.valToPos(from, "x", true), bbox.left);
        const right = Math.min(plot.valToPos(to, "x", true), bbox.left + bbox.width);
        if (right < left) continue;
        ctx.fillStyle = ctx.strokeStyle = theme.visualization.getColorByName(color);
        ctx.globalAlpha = 0.1;
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
        ctx.globalAlpha = 1;
        ctx.setLineDash([5, 5]);
        for (const at of new Set([left, right])) {
          ctx.beginPath();
          ctx.moveTo(at, bbox.top);
          ctx.lineTo(at, bbox.top + bbox.height);
          ctx.stroke();
        }
        ctx.fillRect(left, bbox.top + bbox.height, Math.max(right - left, 3), 4);
      }
      ctx.restore();
    });
  }, [config, marks, theme]);
  return null;
}
