"""What all requests of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request
from prometheus_client import CollectorRegistry

from kinfolio.web.access.limits import Places, RateLimit
from kinfolio.web.access.sessions import Sessions
from kinfolio.web.access.tokens import TokenStore
from kinfolio.web.service import Service
from kinfolio.web.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """Answers, tokens, sessions and limits of one server."""

    settings: Settings
    service: Service
    tokens: TokenStore
    sessions: Sessions
    rate: RateLimit
    sign_ins: RateLimit
    """That fail, of one address."""
    chats: Places
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    """Of metrics."""

    @classmethod
    def create(cls, settings: Settings, service: Service) -> Site:
        """Return the state of a server without sessions."""
        rate = settings.requests_per_second
        return cls(
            settings,
            service,
            TokenStore(settings.home / "web"),
            Sessions(settings.session_hours),
            RateLimit(rate, max(1.0, 2 * rate)),
            RateLimit(1.0, 10.0),
            Places(settings.max_chats),
        )


def site_of(request: Request) -> Site:
    """Return the shared state of the server that answers a request."""
    site: Site = request.app.state.site
    return site
