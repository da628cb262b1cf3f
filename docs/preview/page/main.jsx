// Draws what take.py gives it, and says what is empty or wrong.

import "@fontsource/inter/latin-400.css";
import "@fontsource/inter/latin-500.css";
import "@fontsource/roboto-mono/latin-400.css";
import "./page.css";
import { ThemeContext, createTheme } from "@grafana/data";
import { GlobalStyles, PortalContainer } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { marksOf } from "./annotations.js";
import { cutOff } from "./cut_off.js";
import { Dashboard } from "./dashboard.jsx";
import { prepared } from "./panel.jsx";
import { replacerOf } from "./variables.js";

window.__grafana_public_path__ = "/public/";

const SETTLED_FRAMES = 5;
const FONTS = ["400 14px Inter", "500 14px Inter", "400 14px 'Roboto Mono'"];

export async function draw(model) {
  const theme = createTheme({ colors: { mode: model.theme } });
  await Promise.all(FONTS.map((font) => document.fonts.load(font)));
  const context = {
    theme, from: model.from, to: model.to, marks: marksOf(model.marks),
    replaceVariables: replacerOf(model),
  };
  const panels = await Promise.all(model.panels.map((panel) => prepared(panel, context)));
  const root = createRoot(document.getElementById("page"));
  document.body.dataset.theme = model.theme;
  flushSync(() => root.render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Dashboard model={model} panels={panels} context={context} />
      <PortalContainer />
    </ThemeContext.Provider>));
  for (let frame = 0; frame < SETTLED_FRAMES; frame += 1) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  return panels.map(({ report }) => {
    const place = document.getElementById(`panel-${report.id}`);
    return { ...report, notes: [...report.notes, ...cutOff(place)] };
  });
}
