"""Paths of explanations in the names of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kinfolio.cypher.mapping.expressions import types_of
from kinfolio.cypher.mapping.names import Mapping
from kinfolio.cypher.mapping.standard import LABELS, TYPES, reviews_are_relationships
from kinfolio.records import Step


@dataclass(frozen=True, slots=True)
class PathNames:
    """Names of the standard model's labels and types in one graph."""

    mapping: Mapping | None = None
    """None: the names of the standard model."""

    def label(self, label: str) -> str:
        """Return the name of a label."""
        if self.mapping is None:
            return label
        names = getattr(self.mapping, LABELS[label])
        return str(names.label)

    def key(self, label: str) -> str | None:
        """Return the property that identifies nodes of a label; None without one."""
        key = "name" if label == "Category" else "id"
        if self.mapping is None:
            return key
        name = getattr(getattr(self.mapping, LABELS[label]), key)
        return None if name is None else str(name)

    def split(self, kind: str) -> str:
        """Return the property of a relationship with its split; "" without one."""
        if self.mapping is None:
            return "split"
        section = TYPES[kind][1]
        if section in ("wrote", "about"):
            section = "reviews" if reviews_are_relationships(self.mapping) else section
        return str(getattr(getattr(self.mapping, section, None), "split", None) or "")

    def path(self, path: Sequence[Step]) -> tuple[Step, ...]:
        """Return a path in the names of the graph; a review may be one relationship there."""
        return tuple(renamed for _, renamed in self.pairs(path))

    def pairs(self, path: Sequence[Step]) -> list[tuple[Step, Step]]:
        """Return each step with its form in the graph, without nodes that do not exist there."""
        if self.mapping is None:
            return [(step, step) for step in path]
        pairs: list[tuple[Step, Step]] = []
        steps = list(path)
        while steps:
            step = steps.pop(0)
            if step.label is not None:
                pairs.append((step, Step(label=self.label(step.label), id=step.id)))
                continue
            if step.type in ("WROTE", "ABOUT") and reviews_are_relationships(self.mapping):
                steps = steps[2:]
            pairs.append((step, self._link(step)))
        return pairs

    def _link(self, step: Step) -> Step:
        mapping, kind = self.mapping, step.type
        assert mapping is not None
        assert kind is not None
        if kind in ("WROTE", "ABOUT") and mapping.reviews and mapping.reviews.type:
            name: str = mapping.reviews.type
            is_reversed = (mapping.reviews.direction == "in") != (kind == "ABOUT")
        else:
            (name, *_), direction, _ = types_of(mapping, [kind], "")
            is_reversed = direction == "in"
        if is_reversed:
            return Step(type=name, direction="in" if step.direction == "out" else "out")
        return Step(type=name, direction=step.direction)
