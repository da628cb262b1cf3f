"""Do the choices, annotations and exemplars of dashboards come to something?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pool_observer.monitoring.dashboards import dashboards
from tests.monitoring.grafana import annotation_queries, everything, expand, variable_queries
from tests.monitoring.live.accelerated import accelerated
from tests.monitoring.live.asking import DASHBOARDS, QUESTIONS, Question
from tests.monitoring.live.expected_panels import ALERTING
from tests.monitoring.live.phases import CHAT, SELL
from tests.monitoring.live.service import CALM_POOL, POOL
from tests.monitoring.live.story import Story
from tests.monitoring.live.watching import JOB, Series

PRESENT_WINDOW = 60.0
"""Beside which the time that a restart takes is short, as it is beside the usual five minutes."""

each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS)


def choices(story: Story, dashboard: str, name: str) -> list[str]:
    """What the variable offers where all is chosen in the others."""
    (query,) = (each for each in variable_queries(DASHBOARDS[dashboard]) if each.name == name)
    values = everything(DASHBOARDS[dashboard])
    request = query.request(values, range_=story.ended - story.began, end=story.ended)
    return query.choices(story.watcher.get(request.path, request.params))


@each_dashboard
def test_variables_offer_what_there_is(dashboard: str, story: Story) -> None:
    assert choices(story, dashboard, "job") == [JOB]
    assert set(choices(story, dashboard, "instance")) == {story.instance, story.replica}
    assert set(choices(story, dashboard, "pool")) == {POOL, CALM_POOL}
    assert {CHAT, SELL, "GET /catalog"} <= set(choices(story, dashboard, "holder"))


def annotated(story: Story, dashboard: str, name: str, window: float) -> list[Series]:
    settings = accelerated()
    thresholds = replace(settings.thresholds, rate_window=window)
    json = dashboards(replace(settings, thresholds=thresholds))[dashboard]
    (query,) = (each["expr"] for each in annotation_queries(json) if each["name"] == name)
    asked = expand(query, everything(json), interval=1, rate_interval=1, range_=1)
    return story.watcher.between(asked, story.began, story.ended)


@each_dashboard
def test_alerts_are_annotated_when_they_fire(dashboard: str, story: Story) -> None:
    found = annotated(story, dashboard, "Alerts", accelerated().thresholds.rate_window)
    moments = [moment for series in found for moment in series.moments()]
    for name, told in story.phases.items():
        seen = any(told.began < moment <= told.ended for moment in moments)
        assert seen == (name in ALERTING)


@each_dashboard
def test_a_restart_is_annotated_once_the_service_is_back(dashboard: str, story: Story) -> None:
    found = annotated(story, dashboard, "Restarts", PRESENT_WINDOW)
    assert {series.labels["instance"] for series in found} == {story.instance}
    assert min(found[0].moments()) > story.phases["gone"].at


@pytest.mark.parametrize(
    "question", [each for each in QUESTIONS if each.target.get("exemplar")], ids=str
)
def test_an_exemplar_leads_to_a_trace(question: Question, story: Story) -> None:
    parameters = {
        "query": question.expression(question.everything),
        "start": f"{story.began:.3f}",
        "end": f"{story.ended:.3f}",
    }
    found = story.watcher.get("/api/v1/query_exemplars", parameters)
    traces = {each["labels"]["trace_id"] for series in found for each in series["exemplars"]}
    assert traces
