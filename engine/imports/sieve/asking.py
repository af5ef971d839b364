"""Tests of Sieve that hold no others, as conditions of the rule language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from engine.errors import Place
from engine.imports.outcome import Loss
from engine.imports.sieve import facts, fields
from engine.imports.sieve.checked import Call
from engine.imports.sieve.cond import FALSE, LOST, TRUE, Cond, Const, Site, all_of, any_of, leaf
from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.kinds import Comparison, groups_of
from engine.imports.sieve.known import compare, matches_of
from engine.imports.sieve.naming import Names
from engine.imports.sieve.state import State
from engine.imports.sieve.values import Matched, decode, expand, known


@dataclass
class Asking:
    """Translates tests, and gathers what is lost."""

    names: Names
    encoded: bool = False
    losses: dict[Loss, None] = field(default_factory=dict)
    _sites: dict[int, Site] = field(default_factory=dict)
    """By test: on different ways, its captures have the same names."""

    def ask(self, test: Call, state: State, site: Site | None = None) -> tuple[Cond, Matched]:
        """Translate a test that holds no others: the condition, and what ${1} stands for where it holds."""
        try:
            return self._ask(test, state, site)
        except Untranslatable as error:
            return self.lost(test.place, f"'{test.name}': {error}"), state.matched

    def lost(self, place: Place, why: str) -> Cond:
        self.losses[Loss(place, f"{why}; what depends on it is left out")] = None
        return LOST

    def note(self, place: Place, what: str) -> None:
        self.losses[Loss(place, what)] = None

    def _ask(self, test: Call, state: State, site: Site | None) -> tuple[Cond, Matched]:
        if test.name in ("string", "environment"):
            return self._known(test, state, site)
        if test.name in ("header", "address", "envelope"):
            return self._fields(test, state, site)
        return self._fact(test, state), state.matched

    def site(self, test: Call) -> Site:
        return self._sites.setdefault(id(test), Site(test.place.line))

    def _site_of(self, test: Call, asked: Comparison, shared: Site | None = None) -> Site | None:
        """Give what stands for the captures of a test, if it captures at all."""
        groups = groups_of(asked)
        if groups < 0:
            return None
        site = shared or self.site(test)
        site.groups = max(site.groups, groups)
        return site

    def _captured(self, cond: Cond, site: Site | None, state: State) -> tuple[Cond, Matched]:
        if site is None:
            return cond, state.matched
        site.holds = cond
        return cond, site

    def texts(self, texts: Iterable[str], state: State) -> tuple[str, ...]:
        """Give texts that are known whole. Raises Untranslatable."""
        made = []
        for text in texts:
            value = known(expand(self.decoded(text), state.variables, state.matched))
            if value is None:
                raise Untranslatable("compares with what another test captured")
            made.append(value)
        return tuple(made)

    def decoded(self, text: str) -> str:
        return decode(text) if self.encoded else text

    def comparison(self, test: Call, state: State, at: int) -> Comparison:
        """Read how a test compares. Raises Untranslatable."""
        for tag in ("index", "last", "mime", "anychild", "param"):
            if tag in test.tags:
                raise Untranslatable(f"':{tag}' has no equivalent")
        if test.match == "list":
            raise Untranslatable("the address book (':list') is not there to ask")
        relation = test.tag_text("value") or test.tag_text("count")
        return Comparison(test.match, test.comparator, self.texts(test.texts(at), state), relation.lower())

    def _fields(self, test: Call, state: State, site: Site | None) -> tuple[Cond, Matched]:
        asked = self.comparison(test, state, 1)
        names = self.texts(test.texts(0), state)
        if asked.match == "count":
            return facts.counted(names, asked), state.matched
        site = self._site_of(test, asked, site)
        made = fields.ask(test, dict.fromkeys(names), asked, site)
        return self._captured(made, site, state)

    def _known(self, test: Call, state: State, site: Site | None) -> tuple[Cond, Matched]:
        """Compare texts that the script itself holds, of which some may be what other tests captured."""
        asked = self.comparison(test, state, 1)
        if test.name == "environment":
            return facts.environment(test.text(0), asked, state.matched)
        values = [expand(self.decoded(source), state.variables, state.matched) for source in test.texts(0)]
        texts = [known(value) for value in values]
        for text in texts:
            if text is not None and compare(text, asked):
                return TRUE, matches_of(text, asked) or state.matched
        if None not in texts:
            return FALSE, state.matched
        site = self._site_of(test, asked, site)
        open_values = [value for value, text in zip(values, texts, strict=True) if text is None]
        made = any_of(fields.captured(value, asked, self.names, site) for value in open_values)
        return self._captured(made, site, state)

    def _fact(self, test: Call, state: State) -> Cond:
        if test.name in ("exists", "hasflag", "body", "spamtest", "date", "currentdate", "duplicate"):
            return _FACTS[test.name](self, test, state)
        if test.name == "hasexpiration":
            self.note(test.place, "'hasexpiration': messages do not expire, so that this never holds")
        never = test.name in ("false", "hasexpiration")
        return Const(not never) if never or test.name == "true" else facts.constant(test)

    def exists(self, test: Call, state: State) -> Cond:
        names = self.texts(test.texts(0), state)
        return all_of(facts.header_exists(name) for name in names)

    def hasflag(self, test: Call, state: State) -> Cond:
        asked = self.comparison(test, state, 1)
        flags = state.flags
        if test.given[0] is not None:
            flags = tuple(state.variables.get(name.lower(), ()) for name in test.texts(0))
        texts = [known(flag) for flag in flags]
        if None in texts:
            raise Untranslatable("compares with what another test captured")
        words = [word for text in texts if text for word in text.split()]
        return Const(any(compare(word, asked) for word in words))

    def body(self, test: Call, state: State) -> Cond:
        kinds = test.tag_texts("content")
        if "raw" in test.tags or any(not kind.lower().startswith("text") for kind in kinds):
            raise Untranslatable("the body is compared as people read it, not raw and not other parts")
        return fields.texts_of(lambda found: leaf({"body": found}), self.comparison(test, state, 0), None)

    def spamtest(self, test: Call, state: State) -> Cond:
        return facts.spam_score(self.comparison(test, state, 0), 100 if "percent" in test.tags else 10)

    def date(self, test: Call, state: State) -> Cond:
        if self.texts(test.texts(0), state)[0].lower() != "received":
            raise Untranslatable("times are compared of the arrival alone ('received'), not of a header")
        return facts.arrival(self.comparison(test, state, 2), self.texts(test.texts(1), state)[0], test)

    def currentdate(self, test: Call, state: State) -> Cond:
        return facts.arrival(self.comparison(test, state, 1), self.texts(test.texts(0), state)[0], test)

    def duplicate(self, test: Call, state: State) -> Cond:
        return facts.duplicate(
            test, {name: self.texts(test.tag_texts(name), state) for name in ("handle", "header")}
        )


_FACTS: Mapping[str, Callable[[Asking, Call, State], Cond]] = {
    "exists": Asking.exists,
    "hasflag": Asking.hasflag,
    "body": Asking.body,
    "spamtest": Asking.spamtest,
    "date": Asking.date,
    "currentdate": Asking.currentdate,
    "duplicate": Asking.duplicate,
}
