"""What Grafana's schema makes of our JSON: it goes through grafana-foundation-sdk and comes back.

A field that the schema does not know is gone afterwards, so every misspelt one is found. The values
that remain are held against the schema's types: wrong types, and what is in no enumeration.

What the SDK cannot see, because it hands it through as it is:

* fields of panel types that it has no plugin for (`row`s and all types that we use have one), and
  `fieldConfig.defaults.custom` of those types that have no custom fields (`stat`, `gauge`, ...);
* the links of panels and of fields, the overrides' properties and the transformations. For these
  the SDK's own classes are asked separately here;
* the options of a transformation, which no schema describes: they are checked by the columns that
  come of them (`test_dashboard_lint.py`);
* whether a field means anything together with the others.
"""

from __future__ import annotations

import enum
import json
import types
import typing
import warnings
from collections.abc import Iterator
from typing import Any

from tests.monitoring.grafana import Json, panels

with warnings.catch_warnings():
    # It would rather see the next schema, which Grafana does not import by hand yet.
    warnings.simplefilter("ignore")
    from grafana_foundation_sdk.cog import runtime
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models import dashboard as schema
    from grafana_foundation_sdk.models import units

register_default_plugins()

SCHEMA_VERSION: int = schema.Dashboard().schema_version
UNITS = {unit for name, unit in vars(units).items() if name[0].isupper()}
"""All that Grafana calls a unit."""


def lost(given: Json) -> list[str]:
    """The paths of all fields of the dashboard that the schema does not know."""
    found = list(_missing(given, _again(schema.Dashboard, given)))
    for panel in panels(given):
        title = panel.get("title", panel.get("id"))
        found += [f"{title}: {path}" for path in _lost_inside(panel)]
    return found


def wrong(given: Json) -> list[str]:
    """What is of another type than the schema says, or in none of its enumerations."""
    return list(_wrong(schema.Dashboard.from_json(given), ""))


def _again(of: Any, given: Json) -> Any:
    return json.loads(json.dumps(of.from_json(given), cls=JSONEncoder))


def _missing(given: Any, returned: Any, path: str = "") -> Iterator[str]:
    if isinstance(given, dict):
        for name, value in given.items():
            if not isinstance(returned, dict) or name not in returned:
                # What is null says no more than what is not there.
                if value is not None:
                    yield f"{path}.{name}".lstrip(".")
            else:
                yield from _missing(value, returned[name], f"{path}.{name}")
    elif isinstance(given, list) and isinstance(returned, list):
        for place, (value, back) in enumerate(zip(given, returned, strict=True)):
            yield from _missing(value, back, f"{path}[{place}]")
    elif given != returned:
        yield f"{path.lstrip('.')}: {given!r} has become {returned!r}"


def _lost_inside(panel: Json) -> Iterator[str]:
    """What the SDK hands through, asked of the classes that it has for it."""
    plugin = runtime.panelcfg_config(panel["type"])
    if plugin is None:
        yield f"no plugin for panels of type {panel['type']}"
        return
    for link in panel.get("links", []):
        yield from _missing(link, _again(schema.DashboardLink, link), "links")
    for each in panel.get("transformations", []):
        yield from _missing(each, _again(schema.DataTransformerConfig, each), "transformations")
    config = panel.get("fieldConfig", {})
    if plugin.field_config_from_json_hook is None and config.get("defaults", {}).get("custom"):
        yield f"fieldConfig.defaults.custom, of which {panel['type']} has none"
    for override in config.get("overrides", []):
        for each in override["properties"]:
            yield from _lost_in_override(plugin, each["id"], each.get("value"))


def _lost_in_override(plugin: Any, name: str, value: Any) -> Iterator[str]:
    custom = name.removeprefix("custom.")
    given: Any = value
    for part in reversed(custom.split(".")):
        given = {part: given}
    if custom == name:
        yield from _missing(given, _again(schema.FieldConfig, given), "overrides")
    elif plugin.field_config_from_json_hook is None:
        yield f"overrides.{name}, which such panels do not have"
    else:
        decoded = plugin.field_config_from_json_hook(given)
        back = json.loads(json.dumps(decoded, cls=JSONEncoder))
        yield from _missing(given, back, "overrides.custom")


def _wrong(value: Any, path: str) -> Iterator[str]:
    """Goes through an object of the SDK by the types of its fields."""
    for name, hint in typing.get_type_hints(type(value)).items():
        yield from _wrong_field(getattr(value, name, None), hint, f"{path}.{name}")


def _wrong_field(value: Any, hint: Any, path: str) -> Iterator[str]:
    if not _fits(value, hint):
        yield f"{path.lstrip('.')}: {value!r} is not {_spelled(hint)}"
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if _is_model(item):
                yield from _wrong(item, f"{path}[{place}]")
    elif _is_model(value):
        yield from _wrong(value, path)


def _is_model(value: Any) -> bool:
    return _is_model_type(type(value))


def _is_model_type(of: Any) -> bool:
    is_enumeration = isinstance(of, type) and issubclass(of, enum.Enum)
    return not is_enumeration and str(of.__module__).startswith("grafana_foundation_sdk.models")


def _fits(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if hint is Any or hint is object or _is_model(value):
        return True
    if origin in {typing.Union, types.UnionType}:
        return any(_fits(value, choice) for choice in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin is list:
        (of,) = typing.get_args(hint)
        return isinstance(value, list) and all(_fits(item, of) for item in value)
    if origin is dict or _is_model_type(hint):
        return isinstance(value, dict)  # handed through; `lost` looks inside
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return value in [choice.value for choice in hint]
    if hint in {int, float}:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) else True


def _spelled(hint: Any) -> str:
    choices = [choice for choice in typing.get_args(hint) or (hint,) if choice is not type(None)]
    return " or ".join(getattr(choice, "__name__", str(choice)) for choice in choices)
