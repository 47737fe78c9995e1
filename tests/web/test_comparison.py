"""A split of the users and the report of events: by the API, on pages, by the roles that may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kinfolio.events.records import Event, EventKind
from kinfolio.gnn.version_state import place_in_split
from tests.conftest import Cli
from tests.web.running import API, FORM, ME, OWN_SITE, Answer, Web

SPLIT = f"{API}/versions/split"
REPORT = f"{API}/events/report"


@pytest.fixture
def split(web: Web) -> Iterator[Web]:
    """A server whose ready version serves half of the users, until the end of the test."""
    answer = web.post(SPLIT, {"percent": 50}, caller="admin")
    assert answer.status == 200, answer.text
    yield web
    web.post(SPLIT, {"percent": 0}, caller="admin")


def page(web: Web, path: str, caller: str = "admin") -> Answer:
    return web.get(path, caller=None, cookie=web.sign_in(caller))


def submit(web: Web, percent: int, caller: str = "admin") -> Answer:
    """Send the form of the page, as a browser does."""
    form = f"percent={percent}".encode()
    cookie = web.sign_in(caller)
    return web.post("/versions/split", form, caller=None, cookie=cookie, headers=FORM | OWN_SITE)


def serves(web: Web) -> dict[str, int]:
    """Percentage of the users that each version serves, as the API says."""
    versions = web.get(f"{API}/versions").json["versions"]
    return {
        one["name"]: one["split"] if one["state"] == "ready" else 100 - one["split"]
        for one in versions
    }


def test_a_split_is_begun_named_in_answers_and_ended(web: Web) -> None:
    begun = web.post(SPLIT, {"percent": 30}, caller="admin").json
    assert (begun["percent"], begun["active"], begun["other"]) == (30, "second", "first")
    assert serves(web) == {"second": 70, "first": 30}
    found = web.get(f"{API}/users/{ME}/recommendations").json
    is_other = place_in_split(ME) < 30
    assert (found["split"], found["version"]) == (30, "first" if is_other else "second")
    ended = web.post(SPLIT, {"percent": 0}, caller="admin").json
    assert (ended["percent"], ended["other"]) == (0, None)
    assert web.get(f"{API}/users/{ME}/recommendations").json["split"] is None


def test_readiness_covers_the_version_that_serves_a_part_of_the_users(
    split: Web, read: Callable[..., list[dict[str, Any]]]
) -> None:
    ready = split.get("/readyz", caller=None).json
    assert (ready["version"], ready["other"]) == ("second", "first")
    change = (
        "MATCH (v:EmbeddingVersion {name: 'first'}) WITH v, v.dim AS old "
        "SET v.dim = $dim RETURN old"
    )
    (row,) = read(change, dim="wide")
    answer = split.get("/readyz", caller=None)
    split.post(SPLIT, {"percent": 0}, caller="admin")
    without_split = split.get("/readyz", caller=None)
    read(change, dim=row["old"])
    assert answer.status == 503
    assert "version 'first' in the graph is damaged: its dim is 'wide'" in answer.json["detail"]
    assert "kinfolio versions split 0" in answer.json["detail"]
    assert without_split.json["other"] is None


@pytest.mark.parametrize("percent", [100, -1, True, "30", None])
def test_a_percentage_is_a_whole_number_below_100(web: Web, percent: object) -> None:
    assert web.post(SPLIT, {"percent": percent}, caller="admin").status == 422
    assert serves(web) == {"second": 100, "first": 0}


@pytest.mark.parametrize("caller", ["analyst", "customer"])
def test_only_an_administrator_splits_users(web: Web, caller: str) -> None:
    assert web.post(SPLIT, {"percent": 30}, caller=caller).status == 403
    assert submit(web, 30, caller).status == 403
    assert page(web, "/versions/split?percent=30", caller).status == 403
    assert serves(web) == {"second": 100, "first": 0}


def test_the_page_asks_before_it_splits_and_before_it_ends(web: Web) -> None:
    assert 'action="/versions/split"' in page(web, "/versions").text
    assert 'action="/versions/split"' not in page(web, "/versions", "analyst").text
    asked = page(web, "/versions/split?percent=30").text
    assert "<h1>Serve 30 % of the users by first?</h1>" in asked
    assert serves(web) == {"second": 100, "first": 0}
    assert submit(web, 30).headers["location"] == "/versions"
    assert serves(web) == {"second": 70, "first": 30}
    for caller in ("admin", "analyst"):
        text = page(web, "/versions", caller).text
        assert "first serves 30 % of the users, second the others" in text
    assert "End the split" not in page(web, "/versions", "analyst").text
    assert "<h1>End the split?</h1>" in page(web, "/versions/split?percent=0").text
    assert "The split of the users ends" in page(web, "/versions/first/serve").text
    submit(web, 0)
    assert serves(web) == {"second": 100, "first": 0}


def test_a_wrong_percentage_is_answered_in_words(web: Web) -> None:
    asked = page(web, "/versions/split?percent=100")
    assert asked.status == 422
    assert "Percent is &#39;100&#39;: input should be less than or equal to 99" in asked.text
    assert submit(web, 100).status == 422
    assert serves(web) == {"second": 100, "first": 0}


def show(web: Web, user: str, *acts: EventKind, version: str = "second", split: int | None) -> None:
    log = web.site.service.events
    shown = log.show(user=user, version=version, source="stored", products="ABC", split=split)
    at = datetime.now(UTC)
    log.add(user, [Event(request=shown.request, product="A", kind=one, at=at) for one in acts])


def test_the_report_is_that_of_the_command_line(split: Web, cli: Cli) -> None:
    show(split, "u1", "opened", "held", split=None)
    printed = cli(
        "events", "report", "--json", env={"KINFOLIO_HOME": str(split.site.settings.home)}
    )
    assert printed.exit_code == 0, printed.stderr
    found = split.get(REPORT).json
    assert found == json.loads(printed.stdout)
    assert found["total"]["held"]["number"] >= 1
    assert split.get(f"{REPORT}?days=1").json["days"] == 1


def test_a_customer_reads_no_report_of_events(web: Web) -> None:
    assert web.get(REPORT, caller="customer").status == 403
    assert page(web, "/events", "customer").status == 403
    assert page(web, "/events", "analyst").status == 200


def test_the_report_compares_the_versions_of_a_split(web: Web) -> None:
    for number in range(80):
        user = f"reader{number}"
        is_other = place_in_split(user) < 50
        acts: tuple[EventKind, ...] = ("held",) if is_other else ()
        show(web, user, *acts, version="first" if is_other else "second", split=50)
    text = page(web, "/events").text
    assert "The two versions of the split" in text
    assert "first has 33.33 % held, second 0.00 %" in text
    held = text.partition("first has 33.33 % held")[0].rpartition("<li>")[2]
    assert "higher" in held
    opened = text.partition("first has 0.00 % opened")[0].rpartition("<li>")[2]
    assert "no clear difference" in opened
    assert "+33.33<" in text
    found = web.get(REPORT).json["split"]
    assert found["active"]["users"] + found["other"]["users"] == 80


def test_no_list_of_a_time_is_said_in_words(web: Web) -> None:
    log = web.site.service.events
    for path in log.folder.glob("*.jsonl") if log.folder.exists() else ():
        path.unlink()
    assert "No list was shown yet" in page(web, "/events").text
    assert "No list was shown in this time" in page(web, "/events?days=7").text
