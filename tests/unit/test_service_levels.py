"""The service levels of docs/explanation/reliability.md ask for metrics, labels, routes and bounds that exist."""

import json
import re
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import Metrics
from gateway.routes import description
from tests.stage.sources import ROOT

SECTION: Final = (
    (ROOT / "docs/explanation/reliability.md")
    .read_text(encoding="utf-8")
    .split("\n## Service levels\n")[1]
    .split("\n## ")[0]
)
QUERIES: Final = [code for code in re.findall(r"`([^`]+)`", SECTION) if "stepup_" in code]
SELECTOR: Final = re.compile(r"(stepup_\w+)(?:\{([^}]*)\})?")
MATCHER: Final = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
LABELS: Final = {
    name: set(re.findall(r"`(\w+)`", labels))
    for name, labels in re.findall(
        r"^\| `(stepup_\w+)` \| (.+?) \|",
        (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
"""By the reference, which tests/product/test_metrics_for_operators.py holds to what is measured."""
SLUGS: Final = set(
    re.findall(
        r"^## `?([a-z-]+)`?", (ROOT / "docs/reference/problems.md").read_text(encoding="utf-8"), re.MULTILINE
    )
)
PATHS: Final[dict[str, dict[str, object]]] = json.loads(description())["paths"]
every_query = pytest.mark.parametrize("query", QUERIES)


def family(sample: str) -> str:
    """Return the metric that a sample's name belongs to."""
    return re.sub(r"_(bucket|count|sum)$", "", sample)


def matchers(query: str) -> list[tuple[str, str, list[str]]]:
    """Return the metric, the label and the values of each matcher."""
    return [
        (name, label, value.split("|") if sign.endswith("~") else [value])
        for name, inside in SELECTOR.findall(query)
        for label, sign, value in MATCHER.findall(inside)
    ]


def test_every_level_has_a_query() -> None:
    rows = [line for line in SECTION.splitlines() if line.startswith("| ") and " % | " in line]

    assert len(rows) >= 6
    assert all(SELECTOR.search(row.rpartition(" | ")[2]) for row in rows)


@every_query
def test_queries_ask_for_metrics_and_labels_that_exist(query: str) -> None:
    for name in re.findall(r"stepup_\w+", query):
        assert family(name) in LABELS
    for name, label, _ in matchers(query):
        assert label in LABELS[family(name)] | {"le"}
        assert (label == "le") <= name.endswith("_bucket")


@every_query
def test_queries_ask_for_values_that_are_counted(query: str) -> None:
    known = {
        "route": set(PATHS),
        "method": {method.upper() for methods in PATHS.values() for method in methods},
        "purpose": {"sign-in", "sign-up", "step-up"},
        "outcome": {*SLUGS, "begun", "completed"},
        "slug": SLUGS,
        "reason": {"revoked"},
    }
    for name, label, values in matchers(query):
        if label == "le":
            assert set(values) <= bounds(family(name))
        elif label == "status":
            assert all(re.fullmatch("[45]\\d\\d", value) for value in values)
        else:
            assert set(values) <= known[label], label


@every_query
def test_queries_are_written_in_promql(query: str) -> None:
    if "(" not in query:
        return
    # What is left without its parts is arithmetic: a share, or one that is held against a bound.
    part = r"sum\(rate\(stepup_\w+(\{[^}]*\})?\[\d+[hd]\]\)\)"
    inside = [re.sub(MATCHER, "", one) for _, one in SELECTOR.findall(query)]

    assert re.fullmatch(r"(1 - )?P( / P)?( > [\d.]+ \* [\d.]+)?", re.sub(part, "P", query))
    assert all(set(left) <= {","} for left in inside), "matchers, and commas between them"


def bounds(name: str) -> set[str]:
    """Return the bounds of a histogram's buckets, as Prometheus writes them."""
    metrics = Metrics()
    metrics.loop_was_late(0.1)
    metrics.token_requested("refresh_token", "granted", 0.1)  # has the bounds of requests
    asked = "stepup_token_request_seconds" if name == "stepup_request_seconds" else name
    return {
        sample.labels["le"]
        for found in text_string_to_metric_families(metrics.drawn().decode())
        if found.name == asked
        for sample in found.samples
        if "le" in sample.labels
    }
