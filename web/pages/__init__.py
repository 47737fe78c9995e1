"""HTML pages; a fragment where htmx asks for one."""

from kinfolio.web.pages import sign_in

ROUTERS = (sign_in.router,)
