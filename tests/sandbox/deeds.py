"""Things that people and programs do to a mailbox, drawn at random and done over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.sandbox.driving import ANN, BOB, Driver, Json, encoded, mail

USABLE = ("INBOX", "UNREAD", "STARRED", "IMPORTANT", "TRASH", "SPAM", "mine", "mine/below", "other")
"""Labels by full name; those of a user may be there or not."""
FUTURE = "4102444800"

label_sets = st.lists(st.sampled_from(USABLE), unique=True, max_size=3)
names = st.sampled_from(("mine", "below", "other"))
which = st.integers(0, 7)

DEEDS = st.one_of(
    st.tuples(st.just("deliver"), label_sets, which),
    st.tuples(st.just("insert"), label_sets),
    st.tuples(st.just("send"), st.sampled_from(("", FUTURE))),
    st.tuples(st.just("draft")),
    st.tuples(st.just("rewrite"), which),
    st.tuples(st.just("send draft"), which),
    st.tuples(st.just("delete draft"), which),
    st.tuples(st.just("modify"), st.sampled_from(("messages", "threads")), which, label_sets, label_sets),
    st.tuples(st.just("batch"), st.lists(which, max_size=4), label_sets, label_sets),
    st.tuples(st.just("batch delete"), st.lists(which, max_size=3)),
    st.tuples(st.just("trash"), st.sampled_from(("messages", "threads")), which),
    st.tuples(st.just("untrash"), st.sampled_from(("messages", "threads")), which),
    st.tuples(st.just("delete"), st.sampled_from(("messages", "threads")), which),
    st.tuples(st.just("make label"), names, which),
    st.tuples(st.just("move label"), which, names, which),
    st.tuples(st.just("delete label"), which),
    st.tuples(st.just("filter"), label_sets, label_sets),
    st.tuples(st.just("vacation"), st.sampled_from(("Away:", "Ill:"))),
    st.tuples(st.just("delegate"), st.sampled_from(("dlgreviewer", "dlgeditor", ""))),
)
Deed = tuple[Any, ...]


@dataclass
class Doing:
    """A mailbox to which things are done; `made` are the messages so far, some of them gone."""

    driver: Driver
    made: list[str] = field(default_factory=list)
    settled: list[tuple[str, ...]] = field(default_factory=list)
    """What history has to tell of settings: each change once, in this order."""
    away: str = ""
    """The subject of the vacation responder."""
    access: str = ""
    """What the delegate may do, "" where there is none."""

    def pick(self, at: int, of: Sequence[str] | None = None) -> str:
        known = self.made if of is None else of
        return known[at % len(known)] if known else "none"

    async def labels(self) -> dict[str, str]:
        """Label ids by full name."""
        found = {one["id"]: one for one in (await self.driver.get("/labels"))["labels"]}

        def path(one: dict[str, Any]) -> str:
            above = found.get(one["parentId"])
            return f"{path(above)}/{one['name']}" if above else str(one["name"])

        return {path(one): id_ for id_, one in found.items()}

    async def change(self, add: list[str], remove: list[str]) -> dict[str, list[str]]:
        known = await self.labels()
        return {
            "addLabelIds": [known[name] for name in add if name in known],
            "removeLabelIds": [known[name] for name in remove if name in known],
        }

    async def mine(self) -> dict[str, Json]:
        """The user's labels by id, and before them the place above all."""
        labels = (await self.driver.get("/labels"))["labels"]
        return {"": {}} | {one["id"]: one for one in labels if one["type"] == "user"}


async def do(doing: Doing, deed: Deed) -> None:
    """Do one thing; what is refused changes nothing."""
    match deed:
        case ("deliver" | "insert" | "send" | "draft" as kind, *rest):
            await _bring(doing, kind, *rest)
        case ("rewrite" | "send draft" | "delete draft" as kind, at):
            await _draft(doing, kind, doing.pick(at))
        case ("make label" | "move label" | "delete label" as kind, *rest):
            await _label(doing, kind, *rest)
        case ("filter" | "vacation" | "delegate" as kind, *rest):
            await _settle(doing, kind, *rest)
        case _:
            await _move(doing, deed)


async def _bring(doing: Doing, kind: str, *rest: Any) -> None:
    driver, made = doing.driver, doing.made
    own = f"<{len(made)}@x>"
    match kind, *rest:
        case "deliver", labels, at:
            raw = mail(message_id=own, In_Reply_To=f"<{at}@x>")
            known = [name for name in labels if name in await doing.labels()]
            made.append(await driver.deliver(raw, labels=",".join(known)))
        case "insert", labels:
            chosen = (await doing.change(labels, []))["addLabelIds"]
            body = {"raw": encoded(mail(message_id=own)), "labelIds": chosen}
            made.append((await driver.post("/messages", body))["id"])
        case "send", when:
            body = {"raw": encoded(mail(to=f"{ANN}, {BOB}", message_id=own))} | (
                {"sendTime": when} if when else {}
            )
            made.append((await driver.post("/messages/send", body))["id"])
        case _:
            made.append((await driver.post("/drafts", {"message": {"raw": encoded(mail(to=ANN))}}))["id"])


async def _draft(doing: Doing, kind: str, id_: str) -> None:
    call = doing.driver.call
    if kind == "rewrite":
        raw = mail("anew", "x" * len(doing.made), to=ANN)
        await call("PUT", f"/drafts/{id_}", json={"message": {"raw": encoded(raw)}})
    elif kind == "delete draft":
        await call("DELETE", f"/drafts/{id_}")
    else:
        response = await call("POST", "/drafts/send", json={"id": id_})
        doing.made += [response.json()["id"]] if response.is_success else []


async def _label(doing: Doing, kind: str, *rest: Any) -> None:
    call, mine = doing.driver.call, await doing.mine()
    match kind, *rest:
        case "make label", name, above:
            body = {"name": name, "parentId": doing.pick(above, list(mine))}
            response = await call("POST", "/labels", json=body)
            changed = [response.json()["id"]] if response.is_success else []
        case "move label", at, name, above:
            body = {"name": name, "parentId": doing.pick(above, list(mine))}
            id_ = doing.pick(at, list(mine))
            response = await call("PATCH", f"/labels/{id_ or 'none'}", json=body)
            changed = [id_] if response.is_success and body.items() - mine[id_].items() else []
        case _, at:
            id_ = doing.pick(at, list(mine))
            response = await call("DELETE", f"/labels/{id_ or 'none'}")
            changed = _family(mine, id_) if response.is_success else []
    change = {"make label": "settingsAdded", "move label": "settingsUpdated"}.get(kind, "settingsDeleted")
    doing.settled += [(change, "userLabels", id_) for id_ in changed]


def _family(labels: dict[str, Json], top: str) -> list[str]:
    """A label and all below it, those below first."""
    children = [id_ for id_, one in labels.items() if id_ and one["parentId"] == top]
    return [*(id_ for child in children for id_ in _family(labels, child)), top]


async def _settle(doing: Doing, kind: str, *rest: Any) -> None:
    call = doing.driver.call
    if kind == "filter":
        action = await doing.change(*rest)
        body = {"criteria": {"from": "zoe"}, "action": action}
        response = await call("POST", "/settings/filters", json=body)
        if response.is_success:
            doing.settled.append(("settingsAdded", "filter", response.json()["id"]))
    elif kind == "vacation":
        body = {"enableAutoReply": True, "responseSubject": rest[0]}
        await call("PUT", "/settings/vacation", json=body)
        doing.settled += [("settingsUpdated", "vacation", "")] if doing.away != rest[0] else []
        doing.away = rest[0]
    else:
        await _delegate(doing, rest[0])


async def _delegate(doing: Doing, access: str) -> None:
    """Grant access, or change it; revoke it where none is named."""
    call = doing.driver.call
    if access:
        body = {"delegateEmail": BOB, "delegateAccess": access}
        await call("POST", "/settings/delegates", json=body)
    else:
        await call("DELETE", f"/settings/delegates/{BOB}")
    if access != doing.access:
        change = "Deleted" if not access else "Updated" if doing.access else "Added"
        doing.settled.append((f"delegates{change}", BOB))
    doing.access = access


async def _move(doing: Doing, deed: Deed) -> None:
    call, pick = doing.driver.call, doing.pick
    match deed:
        case ("modify", what, at, add, remove):
            await call("POST", f"/{what}/{pick(at)}/modify", json=await doing.change(add, remove))
        case ("batch", chosen, add, remove):
            body = await doing.change(add, remove) | {"ids": [pick(at) for at in chosen]}
            await call("POST", "/messages/batchModify", json=body)
        case ("batch delete", chosen):
            await call("POST", "/messages/batchDelete", json={"ids": [pick(at) for at in chosen]})
        case ("delete", what, at):
            await call("DELETE", f"/{what}/{pick(at)}")
        case (kind, what, at):
            await call("POST", f"/{what}/{pick(at)}/{kind}")


BEGINNING: tuple[Deed, ...] = (
    ("make label", "mine", 0),
    ("make label", "below", 1),
    ("make label", "other", 0),
    ("move label", 3, "other", 0),
    ("deliver", ["INBOX", "UNREAD", "mine"], 9),
    ("deliver", ["INBOX", "mine/below"], 0),
    ("deliver", ["INBOX", "UNREAD", "other"], 0),
    ("deliver", ["STARRED", "mine"], 8),
    ("draft",),
    ("draft",),
    ("send", FUTURE),
    ("filter", ["other"], ["INBOX"]),
    ("vacation", "Away:"),
    ("vacation", "Away:"),
    ("delegate", "dlgeditor"),
    ("delegate", "dlgreviewer"),
)
"""What a mailbox holds before anything is drawn: a thread of three, labels in a tree, drafts, a plan. What is
set to what it is already changes nothing."""
