// A dashboard: what is chosen, the grid of its panels, and what this picture is.

import { dateTimeFormat } from "@grafana/data";
import { Panel, Row } from "./panel.jsx";

const COLUMNS = 24;
const CELL_HEIGHT = 30;
const GAP = 8;
const MARGIN = 16;

export function Dashboard({ model, panels, context }) {
  const column = (model.width - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
  const bottom = Math.max(...panels.map(({ panel }) => panel.gridPos.y + panel.gridPos.h), 0);
  const columns = model.alone ? panels[0]?.panel.gridPos.w : COLUMNS;
  return (
    <main style={{ width: columns * (column + GAP) - GAP + 2 * MARGIN, padding: MARGIN }}>
      {!model.alone && <Header model={model} />}
      <section style={{ height: bottom * (CELL_HEIGHT + GAP) }}>
        {panels.map((each) => {
          const { x, y, w, h } = each.panel.gridPos;
          const width = w * column + (w - 1) * GAP;
          const height = h * CELL_HEIGHT + (h - 1) * GAP;
          const place = { left: x * (column + GAP), top: y * (CELL_HEIGHT + GAP), width, height };
          return (
            <div key={each.panel.id} id={`panel-${each.panel.id}`} className="place" style={place}>
              {each.panel.type === "row" ? <Row panel={each.panel} />
                : <Panel {...each} width={width} height={height} context={context} />}
            </div>
          );
        })}
      </section>
      <footer>
        A preview: Grafana&rsquo;s components (@grafana/ui {GRAFANA_UI}) on a live Prometheus, not
        Grafana itself, which differs in details.
      </footer>
    </main>
  );
}

function Header({ model }) {
  return (
    <header>
      <h1>{model.title}</h1>
      <span>{moment(model.from)} to {moment(model.to)} UTC</span>
      <ul className="variables">
        {model.variables.filter(({ hide }) => hide !== 2).map((variable) => (
          <li key={variable.name}><b>{variable.label}</b><span>{shown(variable)}</span></li>
        ))}
        {model.links.map(({ title }) => <li key={title} className="link">{title}</li>)}
      </ul>
    </header>
  );
}

function moment(milliseconds) {
  return dateTimeFormat(milliseconds, { timeZone: "utc", format: "YYYY-MM-DD HH:mm:ss" });
}

function shown({ kind, text, choices }) {
  if (kind === "datasource") return "Prometheus";
  return choices ? `${text} (${choices.length})` : text;
}
