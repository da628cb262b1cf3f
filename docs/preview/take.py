"""Takes pictures of dashboards: a preview with Grafana's components, on a real Prometheus."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from dashboard import Asker, alone, laid_out
from playwright.sync_api import Page, Route, sync_playwright
from prometheus import Prometheus, QueryError, Span, seconds_of
from variables import UnknownVariableError, variables_of

HERE = Path(__file__).parent
BUNDLE = HERE / "dist"
ICONS = HERE / "node_modules/@grafana/ui/dist/public"
ORIGIN = "http://preview.invalid"
"""Nobody is asked there: what the page loads is read from files."""

EMPTY_PAGE = (
    '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/preview.css">'
    '<body><div id="page"></div><script src="/preview.js"></script>'
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if not (BUNDLE / "preview.js").exists():
        print(f"first: cd {HERE} && npm ci && npm run build", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    failed = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser)
        for path in options.dashboards:
            for theme in options.theme:
                page = browser.new_page(
                    viewport={"width": options.width, "height": 900},
                    device_scale_factor=options.scale,
                    timezone_id="UTC",
                )
                failed |= _taken(page, path, theme, options)
                page.close()
        browser.close()
    return int(failed)


def _taken(page: Page, path: Path, theme: str, options: argparse.Namespace) -> bool:
    """Take one picture and tell what is wrong in it; whether anything is an error."""
    model = _model(json.loads(path.read_text(encoding="utf-8")), theme, options)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route(f"{ORIGIN}/**", _served)
    page.goto(f"{ORIGIN}/")
    panels = page.evaluate("model => preview.draw(model)", model)
    page.wait_for_load_state("networkidle")
    picture = options.out / f"{path.stem}-{theme}.png"
    if options.panel is not None:
        picture = picture.with_stem(f"{picture.stem}-{options.panel}")
    page.locator("main").screenshot(path=picture)
    print(picture)
    for panel in panels:
        name = f"[{panel['id']}] {panel['title']}"
        if panel["error"]:
            print(f"  error: {name}: {panel['error']}")
        for note in panel["notes"]:
            print(f"  note: {name}: {note}")
    for told in (*model["problems"], *complaints):
        print(f"  error: {told}")
    return any(panel["error"] for panel in panels) or bool(model["problems"] or complaints)


def _model(dashboard: dict[str, Any], theme: str, options: argparse.Namespace) -> dict[str, Any]:
    """What the page is given: all it draws, and nothing it has to ask for."""
    last = options.until
    span = Span(last - options.last, last)
    known = {each["name"] for each in dashboard.get("templating", {}).get("list", [])}
    chosen = {name: values for name, values in options.var if name in known}
    variables = variables_of(dashboard, chosen)
    prometheus = Prometheus(options.prometheus)
    asker = Asker(prometheus, variables, span, options.scrape_interval, options.width)
    panels = list(laid_out(dashboard, options.open_rows))
    if options.panel is not None:
        panels = [alone(panel) for panel in panels if panel["id"] == options.panel]
    problems = [] if panels else ["there is no such panel"]
    marks, choices = [], {}
    for annotation in dashboard.get("annotations", {}).get("list", []):
        target = {**annotation, **annotation.get("target", {})}
        if target.get("expr") and annotation.get("enable", True):
            try:
                marks.append(asker.marks(annotation))
            except (QueryError, UnknownVariableError, httpx.HTTPError) as problem:
                problems.append(f"annotation {annotation['name']}: {problem}")
    for variable in dashboard.get("templating", {}).get("list", []):
        if variable["type"] == "query":
            try:
                choices[variable["name"]] = asker.choices(variable)
            except (QueryError, UnknownVariableError, httpx.HTTPError) as problem:
                problems.append(f"variable {variable['name']}: {problem}")
    return {
        "title": dashboard["title"],
        "theme": theme,
        "width": options.width,
        "from": span.first * 1000,
        "to": span.last * 1000,
        "alone": options.panel is not None,
        "panels": [asker.filled(panel) for panel in panels],
        "marks": marks,
        "links": dashboard.get("links", []),
        "variables": [
            {
                "name": each["name"],
                "label": each.get("label") or each["name"],
                "hide": each.get("hide", 0),
                "kind": each["type"],
                "chosen": list(variables.of_dashboard[each["name"]].chosen),
                "text": variables.of_dashboard[each["name"]].text,
                "choices": choices.get(each["name"]),
            }
            for each in dashboard.get("templating", {}).get("list", [])
        ],
        "problems": problems,
    }


def _served(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
    if path == "/":
        route.fulfill(body=EMPTY_PAGE, content_type="text/html")
        return
    inside = path.removeprefix("/public/build/")
    file = BUNDLE / path[1:] if inside == path else ICONS / inside
    if file.is_file():
        route.fulfill(path=file)
    else:
        route.fulfill(status=404)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dashboards", type=Path, nargs="+", help="JSON of Grafana dashboards")
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--last", type=seconds_of, default=seconds_of("15m"), help="such as 15m")
    parser.add_argument("--until", type=float, default=time.time(), help="seconds since 1970")
    parser.add_argument("--scrape-interval", type=seconds_of, default=seconds_of("15s"))
    parser.add_argument("--var", type=_variable, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--theme", nargs="+", choices=("dark", "light"), default=["dark"])
    parser.add_argument("--panel", type=int, help="the id of the only panel to take")
    parser.add_argument("--open-rows", action="store_true", help="open the rows that are closed")
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--browser", default=shutil.which("chromium"))
    return parser.parse_args(arguments)


def _variable(text: str) -> tuple[str, list[str]]:
    name, _, values = text.partition("=")
    return name, values.split(",")


if __name__ == "__main__":
    sys.exit(main())
