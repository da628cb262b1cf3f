"""What `kubectl` would send to a cluster, and what the schemas of the APIs say to it."""

from __future__ import annotations

import functools
import shutil
import subprocess
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.monitoring.examples_files import KUBERNETES

VERSION = "1.37"
"""Of Kubernetes, whose schemas are asked."""

Resource = dict[str, Any]


@functools.cache
def resources() -> tuple[Resource, ...]:
    """All that the kustomization comes to, by `kubectl` itself."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:  # in CI as well: no package of Debian's has one that is recent enough
        pytest.skip("there is no kubectl")
    options = ["--load-restrictor", "LoadRestrictionsNone"]
    said = subprocess.run(
        [str(kubectl), "kustomize", *options, str(KUBERNETES)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert "deprecated" not in said.stderr, said.stderr
    return tuple(yaml.safe_load_all(said.stdout))


def of_kind(kind: str) -> list[Resource]:
    return [each for each in resources() if each["kind"] == kind]


def only(kind: str) -> Resource:
    (found,) = of_kind(kind)
    return found


def complaint(resource: Resource) -> str:
    """What is wrong with the fields of a resource; nothing if nothing is."""
    try:
        if resource["kind"] in _CUSTOM:
            jsonschema.validate(resource, _custom(_CUSTOM[resource["kind"]]))
        else:
            kubernetes_validate.validate(resource, VERSION, strict=True)
    except jsonschema.ValidationError as error:
        return f"{error.json_path}: {error.message}"
    return ""


def _closed(*required: str, **fields: Any) -> dict[str, Any]:
    """An object that has these fields and no others."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


def _several(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": item}


_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_SPAN = {"type": "string", "pattern": r"^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$"}
_ENDPOINT = _closed(
    "port",
    port=_TEXT,
    path=_TEXT,
    interval=_SPAN,
    relabelings=_several(
        _closed("sourceLabels", "targetLabel", sourceLabels=_several(_TEXT), targetLabel=_TEXT)
    ),
)
_RULE = _closed(
    "expr",
    alert=_TEXT,
    record=_TEXT,
    expr=_TEXT,
    **{"for": _SPAN},
    keep_firing_for=_SPAN,
    labels=_TEXTS,
    annotations=_TEXTS,
)
_GROUP = _closed("name", "rules", name=_TEXT, interval=_SPAN, rules=_several(_RULE))
_CUSTOM = {
    "PodMonitor": _closed(
        "selector",
        "podMetricsEndpoints",
        selector=_closed("matchLabels", matchLabels=_TEXTS),
        jobLabel=_TEXT,
        podMetricsEndpoints=_several(_ENDPOINT),
    ),
    "PrometheusRule": _closed("groups", groups=_several(_GROUP)),
}
"""The fields of the operator's resources that we use. Its own definitions are in no package that
installs everywhere, so this restates them, after those of prometheus-operator 0.82 and 0.91."""


def _custom(spec: dict[str, Any]) -> dict[str, Any]:
    metadata = _closed("name", name=_TEXT, namespace=_TEXT, labels=_TEXTS, annotations=_TEXTS)
    return _closed(
        *("apiVersion", "kind", "metadata", "spec"),
        apiVersion={"const": "monitoring.coreos.com/v1"},
        kind=_TEXT,
        metadata=metadata,
        spec=spec,
    )
