// Panels of one value each: stat and bar gauge.

import { getDisplayValueAlignmentFactors, getFieldDisplayValues } from "@grafana/data";
import { BarGauge, BigValue, VizRepeater } from "@grafana/ui";

const REDUCED = { values: false, calcs: ["lastNotNull"], fields: "" };

const STAT = {
  graphMode: "area", colorMode: "value", justifyMode: "auto", textMode: "auto", wideLayout: true,
  orientation: "auto", showPercentChange: false, percentChangeColorMode: "standard",
};

const BARS = {
  displayMode: "gradient", valueMode: "color", namePlacement: "auto", showUnfilled: true,
  orientation: "auto", sizing: "auto", minVizWidth: 8, minVizHeight: 16, maxVizHeight: 300,
};

export function Stat(props) {
  const { theme, timeRange } = props;
  const options = { ...STAT, ...props.panel.options };
  return (
    <Repeated {...props} orientation={options.orientation} sparkline={options.graphMode !== "none"}
      percentChange={options.showPercentChange} itemSpacing={3} autoGrid
      renderValue={({ value, count, ...place }) => {
        if (value.sparkline) value.sparkline.timeRange = timeRange;
        return (
          <BigValue {...place} value={value.display} count={count} sparkline={value.sparkline}
            colorMode={options.colorMode} graphMode={options.graphMode}
            justifyMode={options.justifyMode} textMode={options.textMode}
            wideLayout={options.wideLayout} text={options.text}
            percentChangeColorMode={options.percentChangeColorMode}
            theme={theme} timeRange={timeRange} />
        );
      }} />
  );
}

export function Bars(props) {
  const { theme } = props;
  const options = { ...BARS, ...props.panel.options };
  const most = options.sizing === "manual" ? options : BARS;
  return (
    <Repeated {...props} orientation={options.orientation} itemSpacing={10}
      minVizWidth={most.minVizWidth} minVizHeight={most.minVizHeight}
      maxVizHeight={most.maxVizHeight}
      renderValue={({ value, count, alignmentFactors, ...place }) => (
        <BarGauge {...place} theme={theme} field={value.field} text={options.text}
          value={count === 1 && !value.field.displayName
            ? { ...value.display, title: undefined } : value.display}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          alignmentFactors={count > 1 ? alignmentFactors : undefined}
          displayMode={options.displayMode} valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement} showUnfilled={options.showUnfilled} />
      )} />
  );
}

function Repeated(props) {
  const {
    panel, data, fieldConfig, theme, replaceVariables, sparkline, percentChange, ...rest
  } = props;
  const values = () => getFieldDisplayValues({
    data, fieldConfig, theme, replaceVariables, sparkline, percentChange, timeZone: "utc",
    reduceOptions: { ...REDUCED, ...panel.options?.reduceOptions },
  });
  return (
    <VizRepeater {...rest} source={data} renderCounter={0} getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors} />
  );
}
