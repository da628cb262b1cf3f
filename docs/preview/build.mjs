// Makes one file of the page and all it is made of.

import { readFileSync } from "node:fs";
import { build } from "esbuild";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));

await build({
  entryPoints: ["page/main.jsx"],
  outfile: "dist/preview.js",
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "preview",
  jsx: "automatic",
  loader: { ".woff2": "dataurl", ".woff": "empty", ".ttf": "empty" },
  define: {
    "process.env.NODE_ENV": JSON.stringify("production"),
    GRAFANA_UI: JSON.stringify(dependencies["@grafana/ui"]),
  },
});
