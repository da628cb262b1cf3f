"""Does each panel show something when it should? Asked as Grafana asks a real Prometheus."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.monitoring.grafana import Values, legend_labels
from tests.monitoring.live.asking import QUESTIONS, Question
from tests.monitoring.live.expected_panels import (
    MORE_THAN_NOTHING,
    SHOWN,
    shown_phases,
    trouble_of,
    values_of,
)
from tests.monitoring.live.service import CALM_POOL
from tests.monitoring.live.story import Story

LABELS = {
    "job": "job",
    "instance": "instance",
    "pool": "db_client_connection_pool_name",
    "holder": "holder",
}
"""Which label each variable chooses from."""

Choose = Callable[[Question, str, Story], Values]


def all_of_them(question: Question, phase: str, story: Story) -> Values:
    return question.everything


def several_of_each(question: Question, phase: str, story: Story) -> Values:
    others = {"instance": story.replica, "pool": CALM_POOL, "holder": "GET /catalog"}
    single = values_of(question, phase, story)
    return {name: [*chosen, *filter(None, [others.get(name)])] for name, chosen in single.items()}


each_question = pytest.mark.parametrize("question", QUESTIONS, ids=str)
each_in_its_trouble = pytest.mark.parametrize(
    "question", [each for each in QUESTIONS if trouble_of(each)], ids=str
)
of_all_or_some = pytest.mark.parametrize(
    "choose", [all_of_them, values_of, several_of_each], ids=["all", "single", "several"]
)


@of_all_or_some
@each_question
def test_a_panel_shows_something_when_it_should(
    question: Question, choose: Choose, story: Story
) -> None:
    empty_in = {
        phase
        for phase in shown_phases(question)
        if not question.figures_at_height(
            story, choose(question, phase, story), story.phases[phase]
        )
    }
    assert not empty_in


@of_all_or_some
@each_in_its_trouble
def test_a_panel_shows_the_trouble_it_is_there_for(
    question: Question, choose: Choose, story: Story
) -> None:
    trouble = trouble_of(question)
    assert trouble is not None
    values = choose(question, trouble, story)
    assert max(question.figures(story, values, story.phases[trouble])) > 0


@each_question
def test_a_panel_shows_only_what_is_chosen(question: Question, story: Story) -> None:
    chosen = values_of(question, trouble_of(question) or "exhausted", story)
    labels = {LABELS[name]: value for name, (value,) in chosen.items() if question.depends_on(name)}
    for series in question.answer(story, chosen):
        shown = {label: series.labels[label] for label in labels if label in series.labels}
        assert shown.items() <= labels.items()


@each_question
def test_every_label_of_a_legend_is_there(question: Question, story: Story) -> None:
    answer = question.answer(story, question.everything)
    assert answer
    for series in answer:
        assert set(legend_labels(question.target)) <= set(series.labels)


def test_the_tables_name_panels_that_exist() -> None:
    known = {each.panel for each in QUESTIONS} | {each.name for each in QUESTIONS}
    assert known.issuperset(SHOWN)
    assert known.issuperset(MORE_THAN_NOTHING)
