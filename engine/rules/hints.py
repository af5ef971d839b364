"""What people write who know other filters, and what to write here instead."""

from __future__ import annotations

from collections.abc import Mapping

_IN_ACTION = ("after", "at", "throttle", "guard", "once_per", "expires", "mode")
"""Keys of actions that people write beside them."""

_NOT = "put what must not hold below 'not': {not: {subject: {contains: x}}}"

TEXT: Mapping[str, str] = {
    **dict.fromkeys(("equals", "equal", "eq", "exact", "value", "text"), "write 'is'"),
    **dict.fromkeys(("matches", "match", "pattern", "re", "regexp"), "write 'regex', or 'glob' for * and ?"),
    **dict.fromkeys(("wildcard", "like"), "write 'glob'"),
    **dict.fromkeys(("has", "includes", "include", "any", "in"), "write 'contains'; a list means any of it"),
    **dict.fromkeys(("begins_with", "begins", "starts", "prefix"), "write 'starts_with'"),
    **dict.fromkeys(("ends", "suffix"), "write 'ends_with'"),
    **dict.fromkeys(("not", "is_not", "not_contains", "doesnt_contain", "excludes"), _NOT),
    **dict.fromkeys(
        ("ignore_case", "case_sensitive", "case"), "case is ignored; a regex heeds it, unless it has (?i)"
    ),
}
ADDRESS: Mapping[str, str] = {
    **TEXT,
    **dict.fromkeys(
        ("contains", "starts_with", "ends_with", "has", "includes"),
        "addresses are compared whole: write 'domain', or 'glob' such as '*@x.example'",
    ),
    **dict.fromkeys(("address", "addresses", "email"), "write 'is'"),
    **dict.fromkeys(("domains", "host"), "write 'domain'; it takes a list"),
    "lists": "write 'list'; it takes several names",
    "display_name": "write 'name'",
}
NUMBER: Mapping[str, str] = {
    **dict.fromkeys((">", "over", "larger", "larger_than", "greater", "more", "above", "min"), "write 'gt'"),
    **dict.fromkeys(("<", "under", "smaller", "smaller_than", "less", "below", "max"), "write 'lt'"),
    **dict.fromkeys((">=", "ge", "at_least"), "write 'gte'"),
    **dict.fromkeys(("<=", "le", "at_most"), "write 'lte'"),
    **dict.fromkeys(("=", "==", "is", "equals"), "write 'eq'"),
}
CONDITIONS: Mapping[str, str] = {
    **dict.fromkeys(("and", "allof", "all_of", "every"), "write 'all'"),
    **dict.fromkeys(("or", "anyof", "any_of", "one_of"), "write 'any'"),
    **dict.fromkeys(("nor", "none_of", "unless"), "write 'none', or 'not'"),
    **dict.fromkeys(
        ("contains", "is_not", "starts_with", "ends_with", "regex", "glob", "matches", "exists"),
        "say first what is looked at: subject: {contains: x}",
    ),
    **dict.fromkeys(("domain", "address", "sender_domain", "list"), "say whose: from: {domain: x.example}"),
    **dict.fromkeys(("larger", "smaller", "larger_than", "over", "under"), "write size: {gt: 1MB}"),
    **dict.fromkeys(("has_attachment", "has", "file", "files"), "write attachment: true"),
    **dict.fromkeys(("filename", "attachment_name"), "write attachment: {name: ...}"),
    **dict.fromkeys(("unread", "read", "starred", "flagged", "important"), "write is: unread, is: starred"),
    **dict.fromkeys(("date", "before", "after", "age", "older_than", "newer_than"), "write received: {...}"),
    **dict.fromkeys(("folder", "in", "mailbox"), "write 'label'; mailboxes stand in 'mailboxes'"),
    **dict.fromkeys(("text", "content", "message"), "write 'body'"),
    **dict.fromkeys(("bounce", "newsletter", "bulk", "auto_reply"), "write automated: [bounce]"),
}
ACTIONS: Mapping[str, str] = {
    **dict.fromkeys(("move", "fileinto", "folder", "file"), "write label: {add: [Name], remove: [INBOX]}"),
    **dict.fromkeys(("copy", "tag", "add_label", "labels", "add"), "write label: {add: [Name]}"),
    **dict.fromkeys(("remove", "remove_label", "unlabel"), "write label: {remove: [Name]}"),
    **dict.fromkeys(("discard", "remove_message", "bin"), "write trash: true"),
    **dict.fromkeys(("redirect", "resend"), "write forward: {to: [...]}"),
    **dict.fromkeys(("skip_inbox", "skip"), "write archive: true"),
    **dict.fromkeys(("read", "mark_read", "mark_as_read", "seen"), "write mark: read"),
    **dict.fromkeys(("star", "starred", "flag", "addflag", "setflag"), "write mark: starred"),
    "important": "write mark: important",
    **dict.fromkeys(("answer", "respond", "vacation", "autoreply"), "write reply: {template: ...}"),
    **dict.fromkeys(("notify", "mail", "email"), "write send: {template: ..., to: [...]}"),
    "stop": "it stands beside 'then': stop: true",
    **{key: f"it belongs into an action, such as reply: {{template: ..., {key}: ...}}" for key in _IN_ACTION},
    **dict.fromkeys(
        ("wait", "delay", "sleep"), "write 'after' in the action that waits: archive: {after: 2h}"
    ),
    **dict.fromkeys(("approve", "approval"), "write mode: approve in the action that sends"),
    **dict.fromkeys(("digest", "gather", "collect"), "write summary: {template: ..., to: ..., every: 1h}"),
    "keep": "mail is kept unless an action takes it out of the inbox",
}
TEMPLATED: Mapping[str, str] = {
    **dict.fromkeys(
        ("body", "text", "subject", "message", "html"), "it stands in the template, a file in templates/"
    ),
    **dict.fromkeys(("to", "cc", "recipients"), "an answer goes to whom it answers; 'send' takes 'to'"),
    **dict.fromkeys(("vars", "inputs", "data", "variables"), "write 'with'"),
    **dict.fromkeys(("once", "limit", "every", "days"), "write once_per: {sender: 7d}"),
    **dict.fromkeys(("delay", "wait"), "write after: 2h"),
    **dict.fromkeys(("time", "schedule", "send_at"), "write at: '08:00'"),
    **dict.fromkeys(("approve", "approval", "confirm"), "write mode: approve"),
}
DAYS: Mapping[str, str] = dict.fromkeys(
    ("mon-fri", "monday-friday", "weekdays", "workdays", "weekday"), "write [mon, tue, wed, thu, fri]"
) | dict.fromkeys(("sat-sun", "weekend", "weekends"), "write [sat, sun]")
RULE: Mapping[str, str] = {
    **dict.fromkeys(("if", "condition", "conditions", "match", "filter", "where"), "write 'when'"),
    **dict.fromkeys(("actions", "action", "do", "apply"), "write 'then', a list of actions"),
    "else": "write a group of mode: first, whose last rule has no 'when'",
    **dict.fromkeys(("name", "description", "comment", "note"), "write 'title', or a key such as 'x-note'"),
    **dict.fromkeys(("enabled", "disabled", "active"), "write state: off, or state: shadow to try it out"),
    **dict.fromkeys(("shadow", "dry_run"), "write state: shadow"),
    **dict.fromkeys(("on", "trigger"), "write 'event'"),
    **dict.fromkeys(
        ("cron", "timezone"), "write schedule: {cron: '0 9 * * mon-fri', timezone: Europe/Berlin}"
    ),
    **{
        key: f"it belongs into an action: then: [{{reply: {{template: ..., {key}: ...}}}}]"
        for key in _IN_ACTION
    },
    **dict.fromkeys(("order", "weight", "rank"), "write 'priority'; lower comes first"),
    **dict.fromkeys(("mailbox", "accounts", "account", "scope"), "write 'mailboxes'"),
    **dict.fromkeys(("final", "last", "break", "halt"), "write stop: true"),
    "rules": "rules within others stand in a group: - group: {id: ..., rules: [...]}",
    "mode": "first and all stand in a group: - group: {id: ..., mode: first, rules: [...]}; approve and "
    "draft in an action: reply: {template: ..., mode: approve}",
}
OF_GROUP: Mapping[str, str] = {
    key: f"'{key}' belongs to the outermost group"
    for key in ("mailboxes", "layer", "priority", "event", "after", "schedule")
}
GROUP: Mapping[str, str] = {
    **dict.fromkeys(("if", "condition", "conditions", "match"), "write 'when'"),
    **dict.fromkeys(("then", "stop", "state", "actions", "tests"), "write it in each rule of the group"),
    **dict.fromkeys(("name", "description"), "write 'id', and 'title' for what it is for"),
    **dict.fromkeys(("items", "members"), "write 'rules'"),
}
FILE: Mapping[str, str] = {
    **dict.fromkeys(("group", "groups"), "a group is an item of 'rules': - group: {id: ..., rules: [...]}"),
    **dict.fromkeys(("id", "when", "then", "stop", "tests"), "a rule is an item of 'rules': - id: ..."),
    **dict.fromkeys(("filters", "filter"), "write 'rules'"),
    **dict.fromkeys(("mailbox", "accounts", "scope"), "write 'mailboxes'"),
    **dict.fromkeys(("include", "import"), "every file of the folder is read"),
    **dict.fromkeys(("templates", "timezone", "settings"), "that stands in postroom.yaml"),
}


def below(place: str, names: Mapping[str, object], instead: str) -> Mapping[str, str]:
    """Say of each name that it stands somewhere else."""
    return {name: f"it stands below '{place}': {place}: {instead.format(name)}" for name in names}
