"""Commands of Sieve on one way through a script: what they do, and what is known after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from engine.imports.sieve import deeds
from engine.imports.sieve.asking import Asking
from engine.imports.sieve.checked import Call
from engine.imports.sieve.cond import TRUE
from engine.imports.sieve.deeds import IN_INBOX
from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.naming import Names
from engine.imports.sieve.state import State, Sure
from engine.imports.sieve.values import Value, expand, known, modified, named


class Commands:
    """Carries commands out where a way through the script writes its deeds."""

    def __init__(self, asking: Asking, names: Names) -> None:
        self._asking, self._names = asking, names

    def carry_out(self, call: Call, state: State, script: deeds.Script) -> State:
        """Carry one out. Raises Untranslatable."""
        return _COMMANDS.get(call.name, Commands._lost)(self, call, state, script)

    def _value(self, text: str, state: State) -> Value:
        return expand(self._asking.decoded(text), state.variables, state.matched)

    def _lost(self, call: Call, state: State, script: deeds.Script) -> State:
        raise Untranslatable(_REASONS.get(call.name, "has no equivalent"))

    def _nothing(self, call: Call, state: State, script: deeds.Script) -> State:
        return state

    def _set(self, call: Call, state: State, script: deeds.Script) -> State:
        name = call.text(0).lower()
        value = modified(named(self._value(call.text(1), state), name), call.tags)
        return replace(state, variables={**state.variables, name: value})

    def _fileinto(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = self._stored_flags(call, state, script)
        return deeds.store(script, self._names, state, self._value(call.text(0), state), call, flags)

    def _keep(self, call: Call, state: State, script: deeds.Script) -> State:
        return deeds.keep(script, self._names, state, self._stored_flags(call, state, script))

    def _stored_flags(self, call: Call, state: State, script: deeds.Script) -> tuple[Value, ...]:
        """Give the flags that a store puts on; those that `:flags` leaves out are taken off again."""
        if "flags" not in call.tags:
            return state.pending
        flags = deeds.split_flags(call.tag_texts("flags"), state)
        if not (state.kept or state.copied) and state.cancelled is not Sure.YES:
            gone = [flag for flag in state.flags if flag not in flags and flag not in state.pending]
            deeds.mark(script, self._names, gone, on=False)
        return flags

    def _discard(self, call: Call, state: State, script: deeds.Script) -> State:
        return deeds.discard(script, state)

    def _redirect(self, call: Call, state: State, script: deeds.Script) -> State:
        address = self._value(call.text(0), state)
        return deeds.redirect(script, self._names, state, address, "copy" in call.tags)

    def _reject(self, call: Call, state: State, script: deeds.Script) -> State:
        deeds.answer(script, self._names, self._value(call.text(0), state), {})
        return deeds.discard(script, state)

    def _vacation(self, call: Call, state: State, script: deeds.Script) -> State:
        for tag in ("from", "mime", "fcc", "subject"):
            if tag in call.tags:
                self._asking.note(call.place, f"'vacation': ':{tag}' is a matter of the template")
        days, seconds = call.tag_number("days"), call.tag_number("seconds")
        window = f"{seconds}s" if seconds else f"{min(days or deeds.VACATION_DAYS, 365)}d"
        if seconds == 0:
            window = "1s"
        settings = {"once_per": {"sender": window}}
        deeds.answer(script, self._names, self._value(call.text(0), state), settings)
        return state

    def _addflag(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = deeds.split_flags(call.texts(1), state)
        if call.given[0] is not None:
            held = state.variables.get(call.text(0).lower(), ())
            return _flag_variable(call, state, _listed(held, flags))
        return self._flagged(state, script, flags, ())

    def _setflag(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = deeds.split_flags(call.texts(1), state)
        if call.given[0] is not None:
            return _flag_variable(call, state, _listed((), flags))
        return self._flagged(state, script, flags, [flag for flag in state.flags if flag not in flags])

    def _removeflag(self, call: Call, state: State, script: deeds.Script) -> State:
        flags = deeds.split_flags(call.texts(1), state)
        if call.given[0] is None:
            return self._flagged(state, script, (), [flag for flag in state.flags if _like(flag, flags)])
        held = known(state.variables.get(call.text(0).lower(), ()))
        if held is None:
            raise Untranslatable("takes a flag off what a test captured")
        left = [word for word in held.split() if not _like((word,), flags)]
        return _flag_variable(call, state, (" ".join(left),) if left else ())

    def _flagged(
        self, state: State, script: deeds.Script, add: Sequence[Value], remove: Sequence[Value]
    ) -> State:
        """Change the internal flags; they count at once while the message is still to be kept at the end."""
        fresh = [flag for flag in add if flag not in state.flags]
        flags = (*(flag for flag in state.flags if flag not in remove), *fresh)
        pending = (*(flag for flag in state.pending if flag not in remove), *fresh)
        if state.cancelled is Sure.YES:
            return replace(state, flags=flags, pending=pending)
        guard = TRUE if state.cancelled is Sure.NO else IN_INBOX
        gone = [flag for flag in remove if flag not in state.pending]
        if not (state.kept or state.copied):
            deeds.mark(script, self._names, gone, on=False, when=guard)
        deeds.mark(script, self._names, fresh, when=guard)
        return replace(state, flags=flags, pending=() if guard is TRUE else pending)


_Command = Callable[[Commands, Call, State, deeds.Script], State]
_COMMANDS: Mapping[str, _Command] = {
    "set": Commands._set,
    "fileinto": Commands._fileinto,
    "keep": Commands._keep,
    "discard": Commands._discard,
    "redirect": Commands._redirect,
    "reject": Commands._reject,
    "ereject": Commands._reject,
    "vacation": Commands._vacation,
    "addflag": Commands._addflag,
    "setflag": Commands._setflag,
    "removeflag": Commands._removeflag,
    "global": Commands._nothing,
}
_REASONS: Mapping[str, str] = {
    "addheader": "messages are never changed; a label can say as much",
    "deleteheader": "messages are never changed",
    "replace": "messages are never changed",
    "enclose": "messages are never changed",
    "extracttext": "what parts of a message say is not read into variables",
    "foreverypart": "the parts of a message are asked for by 'attachment' and 'body' alone",
    "notify": "there are no notifications to people yet; write a 'send' to yourself",
    "denotify": "there are no notifications to people yet",
    "expire": "messages do not expire",
    "unexpire": "messages do not expire",
    "error": "a rule cannot fail on purpose",
}


def _flag_variable(call: Call, state: State, value: Value) -> State:
    return replace(state, variables={**state.variables, call.text(0).lower(): value})


def _listed(held: Value, flags: Sequence[Value]) -> Value:
    """Write flags one after the other, with blanks between."""
    made: list[object] = list(held)
    for flag in flags:
        made += [" ", *flag] if made else flag
    return tuple(made)  # type: ignore[arg-type]


def _like(flag: Value, flags: Sequence[Value]) -> bool:
    """Compare flags without regard to case."""
    text = (known(flag) or "").lower()
    return flag in flags or any((known(other) or "\0").lower() == text for other in flags)
