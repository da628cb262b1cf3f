from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from pool_observer.monitoring.files import rule_files
from pool_observer.monitoring.settings import Settings
from pool_observer.monitoring.yaml import yaml

_SCALARS = st.one_of(st.text(max_size=90), st.integers(), st.booleans())
_DOCUMENTS = st.dictionaries(
    st.text("abcdefgh-._", min_size=1, max_size=8),
    st.recursive(
        _SCALARS,
        lambda inner: st.one_of(
            st.lists(st.one_of(_SCALARS, st.dictionaries(st.text("abc", min_size=1), inner))),
            st.dictionaries(st.text("abcdef", min_size=1, max_size=5), inner),
        ),
        max_leaves=12,
    ),
    min_size=1,
)


@given(_DOCUMENTS)
def test_what_is_written_is_what_others_read(document: dict[str, object]) -> None:
    assert pyyaml.safe_load(yaml(document)) == document


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("warning", "warning"),
        ("5m", '"5m"'),
        ("no", '"no"'),
        ('alertname="A"', "'alertname=\"A\"'"),
        ("first\nsecond", "|-\n  first\n  second"),
        (" first\nsecond", '" first\\nsecond"'),
    ],
)
def test_a_value_is_written_so_that_it_stays_what_it_is(value: str, written: str) -> None:
    assert yaml({"key": value}) == f"key: {written}\n"


@pytest.mark.parametrize("name", [name for name in rule_files(Settings()) if "yaml" in name])
def test_the_files_are_read_back_as_they_were_meant(name: str) -> None:
    text = rule_files(Settings())[name]

    assert yaml(pyyaml.safe_load(text)) == text.split("\n", 1)[1]
