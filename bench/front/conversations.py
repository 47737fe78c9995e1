"""Open conversations: the first sentence, and the health check beside them."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from threading import Event

import httpx
from front.process import ServerProcess
from measure import percentile, report

LINES = ("what do you recommend?", "why the first one?", "why not the second one?")
FIRST = 20
HEALTH_CHECKS = 400


def measure_conversations(server: ServerProcess, chats: int) -> None:
    """Report the time to the first sentence, and `/livez` while conversations are answered."""
    user = server.users(1)[0]
    seconds: dict[str, list[float]] = {line: [] for line in LINES}
    with server.client() as client:
        _first_sentence(client, user, LINES[0])  # loads the router
        for _ in range(FIRST):
            thread = client.post(f"/users/{user}/threads").json()["thread"]
            for line in LINES:
                seconds[line].append(_first_sentence(client, user, line, thread))
    for line, found in seconds.items():
        report(
            f"first sentence of '{line}': p50 {percentile(found, 50)} ms, most {max(found):.3f} s"
        )
    _measure_health(server, user, chats)


def _first_sentence(client: httpx.Client, user: str, line: str, thread: str = "") -> float:
    thread = thread or client.post(f"/users/{user}/threads").json()["thread"]
    started = time.perf_counter()
    first = 0.0
    path = f"/users/{user}/threads/{thread}/messages"
    with client.stream("POST", path, json={"text": line}) as response:
        for text in response.iter_lines():
            if text == "event: sentence" and not first:
                first = time.perf_counter() - started
    assert first, f"no sentence for {line}"
    return first


def _measure_health(server: ServerProcess, user: str, chats: int) -> None:
    stop = Event()
    counts: dict[int, int] = {}

    def talk(number: int) -> None:
        with server.client() as client:
            thread = client.post(f"/users/{user}/threads").json()["thread"]
            while not stop.is_set():
                path = f"/users/{user}/threads/{thread}/messages"
                with client.stream("POST", path, json={"text": LINES[1]}) as response:
                    counts[response.status_code] = counts.get(response.status_code, 0) + 1
                    for _ in response.iter_lines():
                        pass
                if response.status_code == 503:
                    stop.wait(1)

    own_process = ProcessPoolExecutor(1, get_context("spawn"))  # it does not wait for these threads
    with own_process, ThreadPoolExecutor(chats) as pool:
        for number in range(chats):
            pool.submit(talk, number)
        time.sleep(3)
        health = own_process.submit(_check_health, server.address).result()
        stop.set()
    told = ", ".join(f"{number} of status {status}" for status, number in sorted(counts.items()))
    report(
        f"/livez beside {chats} conversations: p50 {percentile(health, 50)} ms, p99 "
        f"{percentile(health, 99)} ms ({len(health)} checks; answers: {told})"
    )


def _check_health(address: str) -> list[float]:
    """Return the seconds of each answer of `/livez`."""
    seconds = []
    with httpx.Client(base_url=address) as client:
        for _ in range(HEALTH_CHECKS):
            started = time.perf_counter()
            client.get("/livez").raise_for_status()
            seconds.append(time.perf_counter() - started)
            time.sleep(0.02)
    return seconds
