"""Every operation of the client, called once with made-up ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.providers.zoom_mail import operations as ops
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.label_models import Color, LabelLook
from engine.providers.zoom_mail.operations import Operation
from engine.providers.zoom_mail.settings_models import Criteria, FilterAction, Vacation
from tests.providers.fakes import BOX

RAW = b"From: a@acme.example\r\nTo: ann@partner.example\r\nMessage-ID: <1@acme.example>\r\n\r\nHello\r\n"
SOON = datetime(2030, 1, 1, tzinfo=UTC)
COLOR = Color(text="#000000", background="#cccccc")
LOOK = LabelLook(color=COLOR, in_list="labelShow", on_messages="show")
AWAY = Vacation(on=True, subject="Away", start=1_704_268_800_000, domain_only=True)
CRITERIA = Criteria(sender="ann@partner.example", size=1024, size_comparison="larger")
ACTION = FilterAction(add=("STARRED",), remove=("INBOX",))
BOB = "bob@acme.example"

Call = Callable[[ZoomMailClient], Awaitable[Any]]

CALLS: Mapping[Operation, Call] = {
    ops.PROFILE: lambda c: c.profile(BOX),
    ops.HISTORY: lambda c: c.history(BOX, 100, "p", label="INBOX"),
    ops.LIST_MESSAGES: lambda c: c.list_messages(BOX, query="is:unread", label="INBOX", page="p"),
    ops.GET_MESSAGE: lambda c: c.message(BOX, "m1", "metadata", "Message-ID"),
    ops.GET_ATTACHMENT: lambda c: c.attachment(BOX, "m1", "a1"),
    ops.INSERT: lambda c: c.insert(BOX, RAW, ["INBOX"], deleted=True),
    ops.SEND: lambda c: c.send(BOX, RAW, ["Label_1"], at=SOON),
    ops.MODIFY: lambda c: c.modify(BOX, "m1", ["STARRED"], ["INBOX"]),
    ops.BATCH_MODIFY: lambda c: c.batch_modify(BOX, ["m1", "m2"], ["STARRED"], []),
    ops.TRASH: lambda c: c.trash(BOX, "m1"),
    ops.UNTRASH: lambda c: c.untrash(BOX, "m1"),
    ops.DELETE: lambda c: c.delete(BOX, "m1"),
    ops.BATCH_DELETE: lambda c: c.batch_delete(BOX, ["m1", "m2"]),
    ops.LIST_DRAFTS: lambda c: c.list_drafts(BOX, query="is:unread", page="p"),
    ops.CREATE_DRAFT: lambda c: c.create_draft(BOX, RAW),
    ops.GET_DRAFT: lambda c: c.draft(BOX, "d1", "raw"),
    ops.UPDATE_DRAFT: lambda c: c.update_draft(BOX, "d1", RAW),
    ops.SEND_DRAFT: lambda c: c.send_draft(BOX, "d1", RAW),
    ops.DELETE_DRAFT: lambda c: c.delete_draft(BOX, "d1"),
    ops.LIST_THREADS: lambda c: c.list_threads(BOX, query="is:unread", label="INBOX", page="p"),
    ops.GET_THREAD: lambda c: c.thread(BOX, "t1", "metadata", "Subject", "p"),
    ops.MODIFY_THREAD: lambda c: c.modify_thread(BOX, "t1", ["STARRED"], ["INBOX"]),
    ops.TRASH_THREAD: lambda c: c.trash_thread(BOX, "t1"),
    ops.UNTRASH_THREAD: lambda c: c.untrash_thread(BOX, "t1"),
    ops.DELETE_THREAD: lambda c: c.delete_thread(BOX, "t1"),
    ops.LIST_LABELS: lambda c: c.labels(BOX, "basic"),
    ops.GET_LABEL: lambda c: c.label(BOX, "Label_1"),
    ops.CREATE_LABEL: lambda c: c.create_label(BOX, "Finance", "", LOOK),
    ops.UPDATE_LABEL: lambda c: c.replace_label(BOX, "Label_1", "Finance", "Label_2", LOOK),
    ops.PATCH_LABEL: lambda c: c.update_label(BOX, "Label_1", "Finance", "Label_2", LOOK),
    ops.DELETE_LABEL: lambda c: c.delete_label(BOX, "Label_1"),
    ops.GET_VACATION: lambda c: c.vacation(BOX),
    ops.UPDATE_VACATION: lambda c: c.set_vacation(BOX, AWAY),
    ops.LIST_DELEGATES: lambda c: c.delegates(BOX),
    ops.GET_DELEGATE: lambda c: c.delegate(BOX, BOB),
    ops.GRANT_DELEGATE: lambda c: c.grant_delegate(BOX, BOB, "dlgeditor"),
    ops.REVOKE_DELEGATE: lambda c: c.revoke_delegate(BOX, BOB),
    ops.LIST_FILTERS: lambda c: c.filters(BOX),
    ops.GET_FILTER: lambda c: c.filter(BOX, "f1"),
    ops.CREATE_FILTER: lambda c: c.create_filter(BOX, CRITERIA, ACTION),
    ops.DELETE_FILTER: lambda c: c.delete_filter(BOX, "f1"),
}
