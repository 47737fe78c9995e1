"""Signing in and out: tokens, sessions, one-time links, proxies; what each ends with."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotFound
from kinfolio.web.access.sessions import COOKIE, LINK_SECONDS, MOST_SESSIONS, Sessions
from kinfolio.web.access.tokens import TokenStore
from kinfolio.web.server import announce, bind
from tests.web.running import API, FORM, ME, OWN_SITE, Web, running

ME_PATH = f"{API}/me"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("caller", ["analyst", "customer", "admin"])
def test_a_token_is_traded_for_a_session_of_its_role(web: Web, caller: str) -> None:
    cookie = web.sign_in(caller)
    assert web.get(ME_PATH, caller=None, cookie=cookie).json["name"] == caller


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(web: Web) -> None:
    form = f"token={web.secrets['analyst']}".encode()
    answer = web.post("/login?next=//evil.example", form, caller=None, headers=FORM | OWN_SITE)
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= parts
    assert "secure" not in parts
    assert answer.headers["location"] == "/"
    assert answer.headers["cache-control"] == "no-store"


def test_behind_tls_the_cookie_is_secure(
    community_graph: Graph, models: Path, tmp_path: Path
) -> None:
    with running(community_graph, tmp_path / "home", models, is_secure=True) as web:
        form = f"token={web.secrets['analyst']}".encode()
        for headers in ({"Origin": f"https://127.0.0.1:{web.port}"}, OWN_SITE, {}):
            answer = web.post("/login", form, caller=None, headers=FORM | headers)
            assert "; Secure" in answer.headers["set-cookie"]


def test_a_session_changes_data_from_the_own_site_only(web: Web) -> None:
    cookie = web.sign_in("admin")
    for headers in (OWN_SITE, {"Origin": f"http://127.0.0.1:{web.port}"}):
        answer = web.send(
            "PUT",
            f"{API}/versions/serving",
            {"version": "second"},
            caller=None,
            cookie=cookie,
            headers=headers,
        )
        assert answer.status == 200


def test_sign_out_ends_the_session_and_no_other(web: Web) -> None:
    first, second = web.sign_in("analyst"), web.sign_in("analyst")
    answer = web.post("/logout", caller=None, cookie=first, headers=OWN_SITE)
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert web.get(ME_PATH, caller=None, cookie=first).status == 401
    assert web.get(ME_PATH, caller=None, cookie=second).status == 200


def test_revoking_a_token_ends_its_sessions_at_once(web: Web) -> None:
    token, secret = web.site.tokens.add("analyst", name="for a day")
    form = f"token={secret}".encode()
    cookie = web.post("/login", form, caller=None, headers=FORM | OWN_SITE).cookie
    # By the command line, which is another process.
    TokenStore(web.site.settings.home / "web").revoke(token.id)
    assert web.get(ME_PATH, caller=None, cookie=cookie).status == 401
    bearer = {"Authorization": f"Bearer {secret}"}
    assert web.get(ME_PATH, caller=None, headers=bearer).status == 401


def printed_link(web: Web) -> str:
    """Return the path of the link that a start on a terminal prints."""
    notes: list[str] = []
    with bind("127.0.0.1", 0) as listening, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        announce(web.site, listening, notes.append)
    return "/start/" + notes[0].rpartition("/start/")[2]


def test_a_log_has_no_link_after_the_first_start(web: Web) -> None:
    notes: list[str] = []
    with bind("127.0.0.1", 0) as listening, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr.isatty", lambda: False, raising=False)
        announce(web.site, listening, notes.append)
    assert "/start/" not in "".join(notes)


def test_a_link_signs_in_once(web: Web) -> None:
    path = printed_link(web)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: web.get(path, caller=None), range(8)))
    assert sorted(one.status for one in answers) == [303] + [401] * 7
    (opened,) = [one for one in answers if one.status == 303]
    found = web.get(ME_PATH, caller=None, cookie=opened.cookie).json
    assert found == {"role": "admin", "user": None, "name": "browser"}


def test_links_and_sessions_end_with_their_time() -> None:
    clock = Clock()
    sessions = Sessions(2.0, clock)
    link, late, session = sessions.create_link("t"), sessions.create_link("t"), sessions.open("t")
    clock.now = LINK_SECONDS - 1
    assert sessions.use_link(link) == "t"
    clock.now = LINK_SECONDS
    assert sessions.use_link(late) is None
    assert sessions.token_of(session) == "t"
    clock.now = 7200
    assert sessions.token_of(session) is None


def test_many_sessions_do_not_fill_the_memory() -> None:
    sessions = Sessions(1.0)
    first = sessions.open("t")
    last = [sessions.open("t") for _ in range(MOST_SESSIONS)][-1]
    assert sessions.token_of(first) is None
    assert sessions.token_of(last) == "t"


def test_tokens_are_stored_as_hashes_that_only_the_owner_reads(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "web")
    token, secret = store.add("customer", user=ME, name="n")
    (file,) = (tmp_path / "web").glob("*.json")
    assert secret not in file.read_text("utf-8")
    assert secret not in repr((token, store, store.list()))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TokenStore(tmp_path / "web").find(secret) == token
    with pytest.raises(NotFound, match="kinfolio token list"):
        store.revoke("0000")
    with pytest.raises(BadConfig, match="there is a token of the name 'n'"):
        store.add("analyst", name="n")
    with pytest.raises(BadConfig, match="needs user"):
        store.add("customer")


def test_a_proxy_signs_in_by_names_without_secrets_only(
    community_graph: Graph, models: Path, tmp_path: Path
) -> None:
    with running(community_graph, tmp_path / "home", models, proxy_header="X-Remote-User") as web:
        web.site.tokens.add("analyst", name="jo", has_secret=False)
        printed_link(web)  # creates the administrator "browser"

        def ask(**headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.get(ME_PATH, caller=None, headers=named).status

        assert ask(X_Remote_User="jo") == 200
        for name in ("nobody", "", "JO", "jo ", "admin", "browser", "jo,admin"):
            assert ask(X_Remote_User=name) == (200 if name == "jo " else 401), name
        assert ask(X_Forwarded_User="jo") == 401
        # The proxy's sign-in comes with every request of the browser, as a cookie does.
        forged = {"X-Remote-User": "jo"}
        assert web.post("/logout", caller=None, headers=forged).status == 403
        forged["Sec-Fetch-Site"] = "cross-site"
        assert web.post("/logout", caller=None, headers=forged).status == 403


def test_a_page_asks_to_sign_in_and_says_why(web: Web) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": f"{COOKIE}=x"}):
        answer = web.get("/", caller=None, headers=headers)
        assert (answer.status, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
        assert "<form" in answer.text
    assert web.get("/login", caller=None, headers={"Authorization": "Bearer x"}).status == 200
    assert web.get("/nothing", caller=None, headers={"Authorization": "Bearer x"}).status == 404
