// One panel in its frame.

import { dateTime, renderTextPanelMarkdown } from "@grafana/data";
import { Icon, PanelChrome, useTheme2 } from "@grafana/ui";
import { Component } from "react";
import { framesOf } from "./frames.js";
import { brokenLinks, transformed, withFields } from "./fields.js";
import { DataTable, USUAL as OF_TABLE } from "./panels/data_table.jsx";
import { Heatmap } from "./panels/heatmap.jsx";
import { Bars, Stat } from "./panels/single_values.jsx";
import { StateTimeline, USUAL as OF_STATES } from "./panels/state_timeline.jsx";
import { Series, USUAL as OF_SERIES } from "./panels/time_series.jsx";

// `saysNothing`: it has its own way to say that there is no data.
const KINDS = {
  stat: { Draws: Stat, saysNothing: true },
  bargauge: { Draws: Bars, saysNothing: true },
  timeseries: { Draws: Series, usual: OF_SERIES },
  table: { Draws: DataTable, usual: OF_TABLE },
  "state-timeline": { Draws: StateTimeline, usual: OF_STATES, ours: true },
  heatmap: { Draws: Heatmap, ours: true },
  text: { Draws: Text, saysNothing: true },
};

// What is to be drawn, or why nothing can be; nothing is drawn yet.
export async function prepared(panel, context) {
  const told = { panel, report: { id: panel.id, title: panel.title, error: panel.problem, notes: [] } };
  if (panel.type === "row" || panel.problem) return told;
  const kind = KINDS[panel.type];
  try {
    if (!kind) throw Error(`no panel of type ${panel.type} is known here`);
    if (panel.repeat) throw Error("a panel that is repeated");
    if (panel.type === "text") return { ...told, kind, data: [] };
    const frames = await transformed(panel, framesOf(panel.answers));
    const { unheard, ...fields } = withFields(panel, frames, kind.usual ?? {}, context);
    told.report.notes = notesOn(panel, fields.data, unheard);
    return { ...told, kind, ...fields };
  } catch (error) {
    told.report.error = String(error.message ?? error);
    return told;
  }
}

function notesOn(panel, data, unheard) {
  const names = unheard.map(({ matcher }) => matcher.options);
  const silent = panel.answers.filter(({ result }) => !result.length).map(({ target }) => target.refId);
  return [
    isEmpty(data) ? "no data" : silent.length ? `no data of ${silent.join(", ")}` : "",
    names.length && !isEmpty(data) ? `overrides that name no field: ${names.join(", ")}` : "",
    ...brokenLinks(data).map((address) => `a link to ${address}`),
    panel.type === "table" && data.length > 1 ? `${data.length} tables, only one is shown` : "",
  ].filter(Boolean);
}

function isEmpty(data) {
  return data.every((frame) => !frame.length);
}

export function Panel({ panel, kind, report, data, fieldConfig, width, height, context }) {
  const { theme } = context;
  const marks = context.marks;
  const timeRange = {
    from: dateTime(context.from), to: dateTime(context.to),
    raw: { from: dateTime(context.from), to: dateTime(context.to) },
  };
  const titleItems = kind?.ours ? <span className="ours">drawn by the preview</span> : undefined;
  return (
    <PanelChrome width={width} height={height} title={panel.title} description={panel.description}
      displayMode={panel.transparent ? "transparent" : "default"} titleItems={titleItems}
      padding={panel.type === "table" ? "none" : "md"} statusMessage={report.error ?? undefined}>
      {(innerWidth, innerHeight) => {
        if (report.error) return <p className="middle failed">{report.error}</p>;
        if (!kind.saysNothing && isEmpty(data)) {
          return <p className="middle">{fieldConfig.defaults.noValue ?? "No data"}</p>;
        }
        return (
          <Caught report={report}>
            <kind.Draws panel={panel} data={data} fieldConfig={fieldConfig} theme={theme}
              width={innerWidth} height={innerHeight} timeRange={timeRange} marks={marks}
              replaceVariables={context.replaceVariables} />
          </Caught>
        );
      }}
    </PanelChrome>
  );
}

export function Row({ panel }) {
  const { spacing } = useTheme2();
  return (
    <h2 className="row" style={{ padding: spacing(0.5, 1) }}>
      <Icon name={panel.collapsed ? "angle-right" : "angle-down"} /> {panel.title}
      {panel.collapsed && <small>({panel.panels.length} panels)</small>}
    </h2>
  );
}

function Text({ panel }) {
  const html = renderTextPanelMarkdown(panel.options.content);
  return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: html }} />;
}

// A panel that cannot be drawn is told of, and the others are drawn.
class Caught extends Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidCatch(error) {
    this.props.report.error = String(error.message ?? error);
  }

  render() {
    if (!this.state.error) return this.props.children;
    return <p className="middle failed">{String(this.state.error.message)}</p>;
  }
}
