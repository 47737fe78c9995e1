"""HTML pages; a part of one where htmx asks for it."""

from kinfolio.web.pages import (
    approval,
    chat,
    graph,
    model,
    products,
    reasons,
    reference,
    sign_in,
    users,
    what_if,
)
from kinfolio.web.pages.comparison import events, split

ROUTERS = (
    sign_in.router,
    users.router,
    reasons.router,
    what_if.router,
    graph.router,
    chat.router,
    products.router,
    model.router,
    approval.router,
    split.router,
    events.router,
    reference.router,
)
