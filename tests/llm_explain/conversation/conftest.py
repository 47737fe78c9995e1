"""The router, fitted once for the whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinfolio.llm_explain.conversation.router import Router, load_router


@pytest.fixture(scope="session")
def router(models: Path) -> Router:
    return load_router(models)
