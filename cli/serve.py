"""`kinfolio serve` and `kinfolio token`: pages and API over HTTP, and who may use them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import spinner
from kinfolio.cli.table import print_table
from kinfolio.environment import home
from kinfolio.errors import NotReady

if TYPE_CHECKING:
    from kinfolio.web.access.tokens import Role, TokenStore

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ROLES = ("analyst", "customer", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Front:
    """What browsers and proxies in front of the server need."""

    allow_host: tuple[str, ...]
    trust_proxy_header: str | None
    secure: bool
    requests_per_second: float
    max_chats: int


@click.command("serve", epilog="Example:  kinfolio serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True)
@click.option(
    "--model",
    default="none",
    show_default=True,
    help="Writer of explanations: none (milliseconds), embedded (seconds, one at a time), or "
    "provider:name of a LangChain chat model.",
)
@click.option(
    "--allow-host", multiple=True, help="Further name by which browsers reach the server."
)
@click.option(
    "--trust-proxy-header",
    metavar="NAME",
    help="Header in which a proxy names the token of a caller that it has signed in; the proxy "
    "removes it from requests, and nobody else may reach the server.",
)
@click.option("--secure", is_flag=True, help="Browsers come by TLS only: the cookie is Secure.")
@click.option(
    "--requests-per-second",
    type=click.FloatRange(0.1),
    default=50.0,
    show_default=True,
    help="Limit of one caller, on average; twice as many at once.",
)
@click.option(
    "--max-chats",
    type=click.IntRange(1, 32),
    default=8,
    show_default=True,
    help="Answers of conversations that are written at the same time.",
)
@options.run_option
@options.language_option
@options.rules_option
@options.mapping_option
def command(
    host: str, port: int, model: str, run_folder: Path, rules_folder: Path | None, **values: Any
) -> None:
    """Serve pages and an HTTP API until Ctrl-C.

    The first start prints a link that signs in one browser as administrator. Other people and
    programs need a token: `kinfolio token add`. TLS is the task of a proxy in front.
    """
    language = values.pop("language")
    front = _Front(**values)  # Any: parsed by click
    with spinner("loading the server"):
        settings_type, serve = _import()
    settings = settings_type(
        home=home(),
        run=run_folder,
        language=language,
        allowed_hosts=(
            *settings_type(home=home()).allowed_hosts,
            f"[{host}]" if ":" in host else host,
            *front.allow_host,
        ),
        proxy_header=front.trust_proxy_header,
        is_secure=front.secure,
        requests_per_second=front.requests_per_second,
        max_chats=front.max_chats,
    )
    if host not in _LOOPBACK and not front.secure:
        print_message(
            f"{host} is reached by others, and without TLS they can read tokens; put a proxy with "
            "TLS in front, and give --secure"
        )
    with options.open_graph() as graph:
        rules = options.custom_rules(rules_folder, graph)
        serve(graph, settings, (host, port), model=model, rules=rules, tell=print_message)


def _import() -> Any:
    # Any: a class and a function of packages that may be missing.
    try:
        from kinfolio.web.server import serve
        from kinfolio.web.settings import Settings
    except ModuleNotFoundError as error:
        raise NotReady(
            f"the package {error.name} is not installed; type: pip install 'kinfolio[web]'"
        ) from error
    return Settings, serve


@click.group("token", epilog="Example:  kinfolio token add --role analyst --name reporting")
def token_command() -> None:
    """Create, list and revoke the tokens of `kinfolio serve`."""


@token_command.command("add", epilog="Example:  kinfolio token add --role customer --user p007")
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    required=True,
    help="customer: one user; analyst: reads about all; admin: also rolls back and deletes.",
)
@click.option("--user", callback=options.normal_id, help="User of a customer.")
@click.option("--name", default="", help="Name of the owner, to find the token in a list.")
@click.option(
    "--proxy-only",
    is_flag=True,
    help="Without a secret: only `serve --trust-proxy-header` signs in by --name.",
)
@options.json_option
def add_command(role: Role, user: str | None, name: str, proxy_only: bool, as_json: bool) -> None:
    """Create a token and print it; it is stored as a hash and cannot be printed again."""
    if proxy_only and not name:
        raise click.UsageError("--proxy-only needs --name, by which the proxy's header finds it")
    token, secret = _tokens().add(role, user=user, name=name, has_secret=not proxy_only)
    if as_json:
        shown = {key: value for key, value in asdict(token).items() if key != "sha256"}
        print_json({**shown, "token": None if proxy_only else secret})
        return
    if not proxy_only:
        echo(secret)
    print_message(
        f"token {token.id}, role {token.role}; to revoke it: kinfolio token revoke {token.id}"
    )


@token_command.command("list", epilog="Example:  kinfolio token list")
@options.json_option
def list_command(as_json: bool) -> None:
    """List the tokens, without their secrets."""
    tokens = _tokens().list()
    if as_json:
        shown = [{**asdict(one), "sha256": None} for one in tokens]
        print_json({"tokens": [{k: v for k, v in one.items() if k != "sha256"} for one in shown]})
    elif tokens:
        print_table(
            ("id", "role", "user", "name", "created (UTC)"),
            [
                (t.id, t.role, t.user or "", t.name, t.created_at[:16].replace("T", " "))
                for t in tokens
            ],
        )
    else:
        print_message("no token yet; type: kinfolio token add --role analyst")


@token_command.command("revoke", epilog="Example:  kinfolio token revoke 1a2b3c4d")
@click.argument("id")
@options.json_option
def revoke_command(id: str, as_json: bool) -> None:
    """Revoke the token of ID; its sessions end at once."""
    token = _tokens().revoke(id)
    if as_json:
        print_json({"revoked": token.id})
    else:
        echo(f"token {token.id} of role {token.role} is revoked")


def _tokens() -> TokenStore:
    from kinfolio.web.access.tokens import TokenStore

    return TokenStore(home() / "web")
