"""Sentences of a conversation with links: cited evidence and named products lead to the reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from kinfolio.json_text import UNSAFE
from kinfolio.llm_explain.conversation.chat import Mentioned
from kinfolio.web.pages.rendering import CITATION, link
from kinfolio.web.service import Service


@dataclass(frozen=True, slots=True)
class Citations:
    """Adds the links to the sentences of one answer."""

    user: str
    explained: str | None
    """The product whose evidence is cited."""
    products: dict[str, str]
    """Ids by the names that the text uses."""

    def __call__(self, text: str) -> Markup:
        """Return a sentence as markup; everything but the links is escaped."""
        return Markup("").join(self._parts(UNSAFE.sub(" ", text)))

    def _parts(self, text: str) -> Iterator[Markup]:
        names = "|".join(map(re.escape, sorted(self.products, key=len, reverse=True)))
        # A name is tried first: it may be quoted and have brackets.
        pattern = rf"(?<!\w)(?P<name>{names or '(?!)'})(?!\w)|{CITATION.pattern}"
        end = 0
        for found in re.finditer(pattern, text):
            yield escape(text[end : found.start()])
            end = found.end()
            if found["name"]:
                yield _anchor(self._why(self.products[found["name"]]), found["name"])
            elif found["quoted"]:
                yield escape(found["quoted"])
            elif self.explained is not None:
                yield self._citation(self.explained, found["number"])
        yield escape(text[end:])

    def _citation(self, product: str, number: str) -> Markup:
        address = f"{self._why(product)}#evidence-{number}"
        return Markup('<a class="cite" href="{}" aria-label="evidence {}">{}</a>').format(
            address, number, number
        )

    def _why(self, product: str) -> str:
        return link("users", self.user, "why", product)


def citations_of(service: Service, user: str, mentioned: Mentioned) -> Citations:
    """Return what adds the links to an answer about some products."""
    found = service.product_names(mentioned.products) if mentioned.products else {}
    displayed = {id: service.display.display_name(name) for id, name in found.items()}
    times = Counter(displayed.values())
    # Where names are alike, answers have the id as well.
    names = {name: id for id, name in displayed.items() if times[name] == 1}
    names |= {service.display.name_with_id(name, id): id for id, name in found.items()}
    return Citations(user, mentioned.explained, names)


def _anchor(address: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, text)
