"""Answers to requests that are generated from the OpenAPI document are as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import allow_header_conformance

from kinfolio.web.app import make_api
from kinfolio.web.service import Service
from kinfolio.web.settings import Settings
from kinfolio.web.site import Site
from tests.web.running import Web

_REQUESTS = 12
"""For each operation, besides the examples of the document."""
# The document needs no service.
_APPLICATION = make_api(Site.create(Settings(home=Path("unused")), cast(Service, None)))
_SCHEMA = schemathesis.openapi.from_dict(_APPLICATION.openapi())


@_SCHEMA.parametrize()
@settings(
    max_examples=_REQUESTS,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: Case[Any], web: Web) -> None:
    headers = {"Authorization": f"Bearer {web.secrets['admin']}"}
    response = case.call(base_url=f"http://127.0.0.1:{web.port}", headers=headers, timeout=60)
    if response.status_code != 413:  # no schema limits the size of a whole body
        # Starlette names the methods of the first route of a path only.
        case.validate_response(response, excluded_checks=[allow_header_conformance])
