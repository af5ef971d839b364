"""What commands of Sieve do, as actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import Place
from engine.imports.sieve.checked import Call
from engine.imports.sieve.cond import TRUE, Cond, leaf
from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.naming import Names
from engine.imports.sieve.state import State, Sure
from engine.imports.sieve.tree import Deed, Item
from engine.imports.sieve.values import Unknown, Use, Value, expand, known
from engine.imports.valid import action_problem

INBOX, TRASH = "INBOX", "TRASH"
IN_INBOX = leaf({"label": INBOX})
ANSWER = "imported-answer"
"""The template that imported answers use: it takes `text`."""
MARKS: Mapping[str, str] = {"\\seen": "read", "\\flagged": "starred"}
SERVER_FLAGS = frozenset({"\\answered", "\\deleted", "\\draft", "\\recent"})
VACATION_DAYS = 7


class Script:
    """Writes deeds down where a way through the script is just now."""

    def __init__(self, items: list[Item], place: Place, comment: str) -> None:
        self._items, self._place, self._comment = items, place, comment

    def do(self, action: dict[str, Any], when: Cond = TRUE) -> None:
        """Add an action. Raises Untranslatable where rules refuse it."""
        problem = action_problem(action)
        if problem:
            raise Untranslatable(problem)
        deed = self._deed(when)
        if not (deed.then and _merged(deed.then[-1], action)):
            deed.then.append(action)

    def stop(self) -> None:
        self._deed(TRUE).stop = True

    def _deed(self, when: Cond) -> Deed:
        last = self._items[-1] if self._items else None
        if isinstance(last, Deed) and last.when is when and not last.stop:
            return last
        made = Deed(self._place, self._comment, when)
        self._items.append(made)
        return made


def _merged(last: dict[str, Any], action: dict[str, Any]) -> bool:
    """Join two changes of labels, or two marks, that do not contradict each other."""
    (key, settings), (other, more) = *last.items(), *action.items()
    if key != other or key not in ("label", "mark"):
        return False
    if key == "mark":
        settings.update(more)
        return True
    joined = {
        side: list(dict.fromkeys([*settings.get(side, []), *more.get(side, [])]))
        for side in ("add", "remove")
    }
    if set(joined["add"]) & set(joined["remove"]):
        return False
    settings.update({side: labels for side, labels in joined.items() if labels})
    return True


def store(
    script: Script, names: Names, state: State, folder: Value, call: Call, flags: Iterable[Value]
) -> State:
    """`fileinto`: a label, and out of the inbox unless the message is kept there as well."""
    label = names.text(folder)
    copy = "copy" in call.tags
    if label.upper() == INBOX:
        kept = keep(script, names, state, flags)
        return replace(kept, cancelled=state.cancelled) if copy else kept
    remove = [] if copy or state.kept else [INBOX]
    if state.discarded is not Sure.NO:
        remove.append(TRASH)
    mark(script, names, flags)
    script.do({"label": {"add": [label], **({"remove": remove} if remove else {})}})
    return replace(
        state,
        pending=(),
        cancelled=state.cancelled if copy else Sure.YES,
        copied=state.copied or copy,
    )


def keep(script: Script, names: Names, state: State, flags: Iterable[Value]) -> State:
    """`keep`: in the inbox, whatever else is done."""
    mark(script, names, flags)
    if state.cancelled is not Sure.NO and not state.kept:
        gone = {"remove": [TRASH]} if state.discarded is not Sure.NO else {}
        script.do({"label": {"add": [INBOX], **gone}})
    return replace(state, pending=(), kept=True, cancelled=Sure.YES)


def discard(script: Script, state: State) -> State:
    """`discard`: to the trash, or out of the inbox alone where something has stored the message."""
    if state.kept or state.cancelled is Sure.YES:
        return replace(state, cancelled=Sure.YES)
    guard = TRUE if state.cancelled is Sure.NO else IN_INBOX
    if state.copied:
        script.do({"label": {"remove": [INBOX]}}, guard)
        return replace(state, cancelled=Sure.YES)
    script.do({"trash": True}, guard)
    return replace(state, cancelled=Sure.YES, discarded=Sure.YES if guard is TRUE else Sure.MAYBE)


def redirect(script: Script, names: Names, state: State, address: Value, copy: bool) -> State:
    """`redirect`: a forward, and out of the inbox unless the message is kept. Raises Untranslatable."""
    text = known(address)
    if text is None:
        raise Untranslatable("a recipient is fixed: what a message says never decides who gets mail")
    script.do({"forward": {"to": [text]}})
    if copy:
        return state
    if not state.kept:
        script.do({"label": {"remove": [INBOX]}})
    return replace(state, cancelled=Sure.YES)


def answer(script: Script, names: Names, text: Value, settings: Mapping[str, Any]) -> None:
    """`vacation` and `reject`: a reply with the text. Raises Untranslatable."""
    if known(text) is None:
        raise Untranslatable("a text with what a test captured")
    script.do({"reply": {"template": ANSWER, "with": {"text": literal(known(text) or "")}, **settings}})


def literal(text: str) -> str:
    """Keep a text from being read as a template."""
    for sign in ("{{", "{%", "{#"):
        text = text.replace(sign, f"{{{{ '{sign}' }}}}" if sign != "{{" else "\0")
    return text.strip("\n").replace("\0", "{{ '{{' }}")


def mark(script: Script, names: Names, flags: Iterable[Value], *, on: bool = True, when: Cond = TRUE) -> None:
    """Put flags on or take them off: read, starred, or a label of that name. Raises Untranslatable."""
    for flag in flags:
        text = names.text(flag)
        if text.lower() in SERVER_FLAGS:
            raise Untranslatable(f"the flag '{text}' is the mail server's own")
        if text.lower() in MARKS:
            script.do({"mark": {MARKS[text.lower()]: on}}, when)
        elif text:
            script.do({"label": {"add" if on else "remove": [text]}}, when)


def split_flags(texts: Iterable[str], state: State) -> tuple[Value, ...]:
    """Give the flags of a list, of which each text may hold several with blanks between."""
    found: dict[Value, None] = {}
    for text in texts:
        value = expand(text, state.variables, state.matched)
        whole = known(value)
        if whole is None:
            for one in _words(value):
                found[one] = None
        else:
            for word in whole.split():
                found[(word,)] = None
    return tuple(found)


def _words(value: Value) -> list[Value]:
    """Cut a value at the blanks of its known pieces; what a test captured holds no blank here."""
    words: list[list[str | Use | Unknown]] = [[]]
    for piece in value:
        if not isinstance(piece, str):
            words[-1].append(piece)
            continue
        first, *others = piece.split(" ")
        if first:
            words[-1].append(first)
        for other in others:
            words.append([other] if other else [])
    return [tuple(word) for word in words if word]
