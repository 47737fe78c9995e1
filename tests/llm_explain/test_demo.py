"""Recommendations of a trained model, explained and taken apart by `bench/explanations.py`."""

from __future__ import annotations

from bench.explanations import measure
from kinfolio.cypher.graph import Graph


def test_explanations_of_a_trained_model_hold(demo_graph: Graph) -> None:
    report = measure(demo_graph, pairs=24, embedded=0)
    assert report.pairs == 24
    assert report.worst_sum < 1e-5
    assert report.worst_remainder < 1e-5
    assert report.missing_paths == []
    assert report.not_grounded == []
    assert report.people_shown == []
    assert report.writers == {"none": 24}
