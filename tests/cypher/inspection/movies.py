"""A generated graph of films with names of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

NUM_PEOPLE, NUM_MOVIES = 150, 60
_GENRES = ("Harbour Noir", "Moon Comedy", "Slow Western", "Garden Mystery")
_FIRST = ("Silent", "Amber", "Paper", "Northern", "Hollow", "Velvet", "Copper", "Distant")
_SECOND = ("Lighthouse", "Orchard", "Carousel", "Telegraph", "Meridian", "Compass", "Staircase")
_PRAISE = ("a slow and tender film", "too long by half an hour", "the ending stays with you")


def make_movies(run_cypher: Callable[..., Any], *, seed: int = 7) -> None:
    """Users prefer two of four genres; those who follow each other share one."""
    rng = np.random.default_rng(seed)
    run_cypher(
        "UNWIND range(0, size($names) - 1) AS g CREATE (:Genre {name: $names[g], place: g})",
        names=list(_GENRES),
    )
    titles = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    titles += [f"{title} Returns" for title in titles]
    run_cypher(
        "UNWIND $rows AS row MATCH (g:Genre {place: row.genre}) "
        "CREATE (:Movie {movieId: row.movie, title: row.title, tagline: row.tagline, "
        "  released: row.released})-[:IN_GENRE]->(g)",
        rows=[
            {
                "movie": 1000 + movie,
                "title": titles[movie],
                "tagline": f"A {_GENRES[movie % 4].lower()} about a {titles[movie].lower()}.",
                "released": 1980 + movie % 40,
                "genre": movie % 4,
            }
            for movie in range(NUM_MOVIES)
        ],
    )
    tastes = [(person % 4, (person // 4) % 4) for person in range(NUM_PEOPLE)]
    run_cypher(
        "UNWIND $rows AS row CREATE (:Person {name: row})",
        rows=[f"Viewer {person:03}" for person in range(NUM_PEOPLE)],
    )
    ratings, reviews = [], []
    for person, liked in enumerate(tastes):
        popularity = np.array([1.0 / (1 + movie // 4) for movie in range(NUM_MOVIES)])
        popularity *= [4.0 if movie % 4 in liked else 0.3 for movie in range(NUM_MOVIES)]
        size = int(rng.integers(6, 16))
        chosen = rng.choice(NUM_MOVIES, size, replace=False, p=popularity / popularity.sum())
        for movie in chosen:
            pair = {"person": f"Viewer {person:03}", "movie": 1000 + int(movie)}
            stars = int(rng.integers(3, 6)) if movie % 4 in liked else int(rng.integers(1, 4))
            at = int(1_500_000_000 + rng.integers(0, 100_000_000))
            ratings.append({**pair, "rating": stars, "at": at})
            if rng.random() < 0.1:
                text = f"{titles[movie]}: {_PRAISE[int(movie) % 3]}"
                reviews.append({**pair, "rating": 20 * stars, "summary": text})
    match = (
        "UNWIND $rows AS row MATCH (p:Person {name: row.person}), (m:Movie {movieId: row.movie}) "
    )
    run_cypher(
        match + "CREATE (p)-[:RATED {rating: row.rating, timestamp: row.at}]->(m)", rows=ratings
    )
    run_cypher(
        match + "CREATE (p)-[:REVIEWED {summary: row.summary, rating: row.rating}]->(m)",
        rows=reviews,
    )
    follows = [
        (person, other)
        for person in range(NUM_PEOPLE)
        for other in rng.choice(NUM_PEOPLE, 3, replace=False)
        if set(tastes[person]) & set(tastes[int(other)]) and person != other
    ]
    run_cypher(
        "UNWIND $rows AS row MATCH (a:Person {name: row[0]}), (b:Person {name: row[1]}) "
        "CREATE (a)-[:FOLLOWS]->(b)",
        rows=[[f"Viewer {a:03}", f"Viewer {b:03}"] for a, b in follows],
    )
    run_cypher(
        "MATCH (p:Person {name: 'Viewer 003'}), (m:Movie {movieId: 1001}) "
        "CREATE (p)-[:RECOMMENDED {by: 'a friend'}]->(m)"
    )
    run_cypher(
        "UNWIND range(1, 12) AS n CREATE (a:Actor {name: 'Actor ' + n}) "
        "WITH a, n UNWIND range(0, 9) AS k MATCH (m:Movie {movieId: 1000 + (n * 7 + k * 5) % 60}) "
        "CREATE (a)-[:ACTED_IN {roles: ['Role ' + k]}]->(m)"
    )


def contents(run_cypher: Callable[..., Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """All nodes, relationships, indexes and constraints of the graph."""
    return (
        run_cypher(
            "MATCH (n) RETURN elementId(n) AS n, labels(n) AS labels, properties(n) AS has "
            "ORDER BY n"
        ),
        run_cypher(
            "MATCH (a)-[r]->(b) RETURN elementId(r) AS r, type(r) AS type, elementId(a) AS a, "
            "elementId(b) AS b, properties(r) AS has ORDER BY r"
        ),
        run_cypher(
            "SHOW INDEXES YIELD name, type, labelsOrTypes, properties, owningConstraint "
            "RETURN name, type, labelsOrTypes, properties, owningConstraint ORDER BY name"
        ),
    )
