"""Recommendations of a graph explained and verified: sums, paths, names, numbers, people, seconds.

    python bench/explanations.py --pairs 200 --embedded 20 --json

Works on the graph that the command line would use (`NEO4J_URI`, or kinfolio's own server), after a
write-back. The checks of names and numbers here share no code with the writers or with
`kinfolio.llm_explain.check`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kinfolio.cli.options import home, open_graph
from kinfolio.cypher.graph import Graph, open_driver
from kinfolio.gnn.recommend import recommend
from kinfolio.llm_explain.evidence import read_grounds
from kinfolio.llm_explain.explain import as_document, put_in_words
from kinfolio.llm_explain.paths import path_exists
from kinfolio.llm_explain.writers import Writer, writers_for


@dataclass
class Report:
    """What was found over all pairs."""

    users: int = 0
    pairs: int = 0
    worst_sum: float = 0.0
    """Largest |sum of all contributions - score that `recommend` gave|."""
    worst_remainder: float = 0.0
    """Largest |shown contributions + remainder - score|."""
    missing_paths: list[str] = field(default_factory=list)
    not_grounded: list[str] = field(default_factory=list)
    people_shown: list[str] = field(default_factory=list)
    covered: list[float] = field(default_factory=list)
    """Share of the sum of sizes that the shown evidence carries."""
    writers: dict[str, int] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


def measure(graph: Graph, pairs: int, embedded: int, seed: int = 0) -> Report:
    """Explanations of random users' recommendations, taken apart."""
    report = Report()
    people = _people(graph)
    everyone = sorted(user for user, _ in people)
    random.Random(seed).shuffle(everyone)
    none = writers_for("none", home() / "models", tell=_tell)
    model = writers_for(None, home() / "models", tell=_tell)
    per_user = max(1, min(5, pairs // 40))
    for user in everyone:
        if report.pairs >= pairs:
            break
        products = recommend(user, graph, per_user).products
        report.users += bool(products)
        for line in products:
            if report.pairs < pairs:
                writers = model if report.pairs < embedded else none
                _measure_one(graph, user, line.product, line.score, writers, people, report)
    return report


def _measure_one(
    graph: Graph,
    user: str,
    product: str,
    score: float,
    writers: Sequence[Writer],
    people: list[tuple[str, str]],
    report: Report,
) -> None:
    start = time.perf_counter()
    grounds = read_grounds(graph, user, product)
    read = time.perf_counter()
    cpu = time.process_time()
    told = as_document(put_in_words(grounds, writers))
    report.milliseconds.setdefault("evidence", []).append(1e3 * (read - start))
    name = f"writer {told['writer']}, CPU"
    report.milliseconds.setdefault(name, []).append(1e3 * (time.process_time() - cpu))
    report.writers[told["writer"]] = report.writers.get(told["writer"], 0) + 1
    every = read_grounds(graph, user, product, all_evidence=True)

    label = f"{user} {product}"
    total = sum(piece.contribution for piece in every.evidence)
    report.worst_sum = max(report.worst_sum, abs(total - score))
    shown = sum(piece["contribution"] for piece in told["evidence"])
    report.worst_remainder = max(report.worst_remainder, abs(shown + told["remainder"] - score))
    sizes = sum(abs(piece.contribution) for piece in every.evidence)
    report.covered.append(sum(abs(p["contribution"]) for p in told["evidence"]) / (sizes or 1))
    for piece in every.evidence:
        if not path_exists(graph, piece.path, user):
            report.missing_paths.append(f"{label} [{piece.id}]")
    report.not_grounded += [f"{label}: {fault}" for fault in faults_of(told)]
    report.people_shown += [f"{label}: {fault}" for fault in people_in(told, people)]
    report.pairs += 1
    if len(report.examples) < 10:
        report.examples.append(told["text"])


def faults_of(told: dict[str, Any]) -> list[str]:
    """Names and numbers of the text that stand in no cited evidence; a verifier of its own."""
    faults = []
    facts = {piece["id"]: piece["facts"] for piece in told["evidence"]}
    names = {str(f[key]) for f in facts.values() for key in ("name", "category") if key in f}
    product = {told["name"], " ".join(told["name"].split())}
    if told["text"] != " ".join(sentence["text"] for sentence in told["sentences"]):
        faults.append("the text is not its sentences")
    for sentence in told["sentences"]:
        text, cited = sentence["text"], sentence["evidence"]
        if not cited:
            if re.search(r"\[\d", _without(text, product)):
                faults.append(f"cites, but has no evidence: {text}")
            continue
        if [int(n) for n in re.findall(r"\[(\d+)\]", _without(text, names | product))] != cited:
            faults.append(f"other citations than its evidence: {text}")
        own = {str(value) for n in cited for value in facts[n].values()}
        faults += [
            f"{other!r} is of other evidence: {text}"
            for other in names - own
            if re.search(rf"(?<!\w){re.escape(other)}(?!\w)", _without(text, own | product))
        ]
        bare = re.sub(r"\[\d+\]", "", _without(text, own | product))
        allowed = {n for value in own for n in re.findall(r"\d+(?:\.\d+)?", value)}
        faults += [
            f"{number} stands in no cited evidence: {text}"
            for number in re.findall(r"\d+(?:\.\d+)?", bare)
            if number not in allowed
        ]
    return faults


def people_in(told: dict[str, Any], people: list[tuple[str, str]]) -> list[str]:
    """Ids and names of people other than the asker that an explanation shows."""
    faults = []
    for piece in told["evidence"]:
        for step in piece["path"]:
            if step.get("label") == "User" and step.get("id") not in (None, told["user"]):
                faults.append(f"a path names {step['id']!r}")
            if set(step) - {"label", "id", "type", "direction"}:
                faults.append(f"a path step says more: {sorted(step)}")
    known = {told["name"], told["user"]}
    known |= {str(v) for p in told["evidence"] for k, v in p["facts"].items() if k != "claim"}
    words = set(re.findall(r"\w+", _without(told["text"], known)))
    for user, name in people:
        # Ids that are plain numbers or lower-case words cannot be told from the text's own.
        faults += [
            f"the text says {said!r}"
            for said in {user, name} - known
            if re.search(r"\d", said) and re.search(r"[^\W\d]", said) and said in words
        ]
    return faults


def _without(text: str, names: set[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def _people(graph: Graph) -> list[tuple[str, str]]:
    with open_driver(graph.connection) as driver, driver.session() as session:
        rows = session.run("MATCH (u:User) RETURN u.id AS id, toString(u.name) AS name")
        return [(row["id"], row["name"] or "") for row in rows]


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    """Print the report of the graph at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--embedded", type=int, default=20, help="so many by the embedded model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with open_graph() as graph:
        report = measure(graph, options.pairs, options.embedded, options.seed)
    times = {
        key: {"p50": float(np.median(values)), "p95": float(np.percentile(values, 95))}
        for key, values in report.milliseconds.items()
    }
    answer = {
        "users": report.users,
        "pairs": report.pairs,
        "max |sum - score|": report.worst_sum,
        "max |shown + remainder - score|": report.worst_remainder,
        "paths missing": len(report.missing_paths),
        "not grounded": len(report.not_grounded),
        "people shown": len(report.people_shown),
        "share covered, mean": float(np.mean(report.covered)),
        "writers": report.writers,
        "milliseconds": times,
        "faults": (report.missing_paths + report.not_grounded + report.people_shown)[:20],
        "examples": report.examples,
    }
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        for key, value in answer.items():
            print(f"{key}: {json.dumps(value, ensure_ascii=False, indent=1)}")


if __name__ == "__main__":
    main()
