"""What people bring along from other filters and from YAML 1.1: each is named, with what to write instead."""

from __future__ import annotations

import pytest

from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules

RULE = "rules:\n  - id: a\n    when: {subject: x}\n    then: [{archive: true}]\n"


def when(condition: str) -> str:
    return RULE.replace("{subject: x}", condition)


def then(action: str) -> str:
    return RULE.replace("{archive: true}", action)


def key(line: str) -> str:
    return RULE.replace("    then:", f"    {line}\n    then:")


CASES = [
    pytest.param(
        when("[{subject: x}, {from: a@b.example}]"),
        [
            (
                "3:11 rules[0].when: must be a map with exactly one key, the condition, not a list; "
                "write {all: [...]} where each must hold, {any: [...]} where one must"
            )
        ],
        id="a list where one condition is due",
    ),
    pytest.param(
        when("subject contains x"),
        ["3:11 rules[0].when: must be a map with exactly one key, the condition; write 'subject: ...'"],
        id="a condition written as a sentence",
    ),
    pytest.param(
        when(""),
        ["3:5 rules[0].when: must be a map with exactly one key, the condition; nothing stands here"],
        id="a condition left out",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x}\n    then: {archive: true}\n",
        ["4:11 rules[0].then: must be a list; put '- ' before each item"],
        id="actions as a map",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x}\n    then: archive\n",
        ["4:11 rules[0].then: must be a list; put '- ' before each item"],
        id="an action as a text",
    ),
    pytest.param(
        then("archive"),
        ["4:12 rules[0].then[0]: must be a map with exactly one key, the action; write 'archive: ...'"],
        id="actions as texts",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x}\n",
        ["2:3 rules[0]: does nothing; write 'then', or 'stop: true'"],
        id="a rule without actions",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x}\n    then:\n",
        ["4:5 rules[0].then: must be a list and is empty"],
        id="actions left out",
    ),
    pytest.param(
        "rules:\n  a:\n    when: {subject: x}\n    stop: true\n",
        ["2:3 rules: must be a list; put '- ' before each item"],
        id="rules as a map by name",
    ),
    pytest.param("rules: [archive]\n", ["1:9 rules[0]: must be a map; "], id="a rule as a text"),
    pytest.param("rules:\n", ["1:1 rules: must be a list and is empty"], id="rules left out"),
    pytest.param(
        "- id: a\n  when: {subject: x}\n  stop: true\n",
        ["1:1: must be a map, not a list; "],
        id="a file that is a list",
    ),
    pytest.param("hello\n", ["1:1: must be a map; "], id="a file that is a text"),
    pytest.param("", ["1:1: is empty; write 'rules:' and rules below it"], id="an empty file"),
    pytest.param("# x\n", ["1:1: is empty; write 'rules:' and rules below it"], id="a file of comments"),
    pytest.param(
        "rules:\n  - id: a\n    subject: x\n    then: [{archive: true}]\n",
        [
            "2:3 rules[0]: 'when' is missing",
            "3:5 rules[0].subject: unknown key 'subject'; it stands below 'when': when: {subject: ...}",
        ],
        id="a condition that is not below when",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x}\n    archive: true\n",
        ["4:5 rules[0].archive: unknown key 'archive'; it stands below 'then': then: [{archive: ...}]"],
        id="an action that is not below then",
    ),
    pytest.param(
        then("{archive: true}, {stop: true}"),
        ["4:29 rules[0].then[1]: unknown action 'stop'; it stands beside 'then': stop: true"],
        id="a stop among the actions",
    ),
    pytest.param(
        when("{subject: x, from: a@b.example}"),
        [
            (
                "3:11 rules[0].when: must be a map with exactly one key, the condition; it has: subject, "
                "from; write {all: [...]} around them, each an item"
            )
        ],
        id="two conditions in one map",
    ),
    pytest.param(
        then("{archive: true, label: X}"),
        [
            (
                "4:12 rules[0].then[0]: must be a map with exactly one key, the action; it has: archive, "
                "label; write each as an item, with its own '-'"
            )
        ],
        id="two actions in one item",
    ),
    pytest.param(
        key("stop: on"),
        ["4:11 rules[0].stop: must be true or false; write true for 'on'"],
        id="on is no truth value in YAML 1.2",
    ),
    pytest.param(key("stop: 1"), ["4:11 rules[0].stop: must be true or false"], id="nor is 1"),
    pytest.param(
        key("stop:"), ["4:5 rules[0].stop: must be true or false and is empty"], id="a stop left out"
    ),
    pytest.param(
        key("mailboxes:"),
        ["4:5 rules[0].mailboxes: is empty; write a value, or take the key out"],
        id="a scope left out, which is not all mailboxes",
    ),
    pytest.param(
        key("layer:"),
        ["4:5 rules[0].layer: is empty; write a value, or take the key out"],
        id="a layer left out",
    ),
    pytest.param(
        key("mailboxes: [[a@b.example]]"),
        ["4:17 rules[0].mailboxes[0]: must be a text"],
        id="a scope in brackets twice",
    ),
    pytest.param(
        key("mailboxes: support"),
        ["4:16 rules[0].mailboxes: 'support' is no mailbox; write support@x.example or support@*"],
        id="a mailbox without its domain",
    ),
    pytest.param(
        key("priority: 1.5"),
        ["4:15 rules[0].priority: must be a whole number of at most nine digits; '1.5' is none"],
        id="a priority with a fraction",
    ),
    pytest.param(
        key("priority: 0o17"),
        ["4:15 rules[0].priority: must be a whole number of at most nine digits; '0o17' is none"],
        id="an octal priority",
    ),
    pytest.param(
        key("priority: 010"),
        ["4:15 rules[0].priority: must be a whole number; write 10 for '010'"],
        id="a priority that was octal in YAML 1.1",
    ),
    pytest.param(
        key("priority: 0x1F"),
        ["4:15 rules[0].priority: must be a whole number of at most nine digits; '0x1F' is none"],
        id="a hexadecimal priority",
    ),
    pytest.param(
        key("priority: 1_000"),
        ["4:15 rules[0].priority: must be a whole number of at most nine digits; '1_000' is none"],
        id="a priority with an underscore",
    ),
    pytest.param(
        key("priority: 1:30"),
        ["4:15 rules[0].priority: must be a whole number of at most nine digits; '1:30' is none"],
        id="a priority that was sexagesimal in YAML 1.1",
    ),
    pytest.param(
        key("priority:"),
        ["4:5 rules[0].priority: must be a whole number of at most nine digits and is empty"],
        id="a priority left out",
    ),
    pytest.param(
        when("{size: {gt: 10}}"),
        [
            (
                "3:23 rules[0].when.size.gt: '10' has no unit; write a number with one, such as 10KB, "
                "1.5MB or 2MiB"
            )
        ],
        id="a size without a unit",
    ),
    pytest.param(
        when("{size: 5000000}"),
        [
            (
                "3:18 rules[0].when.size: '5000000' has no unit; write a number with one, such as 10KB, "
                "1.5MB or 2MiB"
            )
        ],
        id="a size without a unit or a kind",
    ),
    pytest.param(
        when("{size: {gt: '1,5MB'}}"),
        ["3:23 rules[0].when.size.gt: must be a number with a unit, such as 10KB, 1.5MB or 2MiB"],
        id="a size with a comma",
    ),
    pytest.param(
        when("{size: {gt: '>10MB'}}"),
        [
            (
                "3:23 rules[0].when.size.gt: must be a number with a unit, such as 10KB, 1.5MB or 2MiB; "
                "write {gt: 10MB} for '>10MB'"
            )
        ],
        id="a size with a sign",
    ),
    pytest.param(
        when("{size: '> 10MB'}"),
        [
            (
                "3:18 rules[0].when.size: must be a number with a unit, such as 10KB, 1.5MB or 2MiB; "
                "write {gt: 10MB} for '> 10MB'"
            )
        ],
        id="a size as an expression",
    ),
    pytest.param(
        when("{size: {'>': 10MB}}"),
        ["3:19 rules[0].when.size.>: unknown key '>'; write 'gt'"],
        id="a sign as a kind",
    ),
    pytest.param(
        when("{size: {gt: -1MB}}"),
        ["3:23 rules[0].when.size.gt: must be a number with a unit, such as 10KB, 1.5MB or 2MiB"],
        id="a size below nothing",
    ),
    pytest.param(
        then("{reply: {template: received, once_per: {sender: 7 days}}}"),
        ["4:60 rules[0].then[0].reply.once_per.sender: unknown unit 'days'; write 7d"],
        id="a duration with its unit in words",
    ),
    pytest.param(
        then("{reply: {template: received, once_per: {sender: 1mo}}}"),
        [
            (
                "4:60 rules[0].then[0].reply.once_per.sender: unknown unit 'mo'; write a number with a "
                "unit, such as 30s, 15m, 12h, 7d or 2w"
            )
        ],
        id="a duration in months",
    ),
    pytest.param(
        then("{reply: {template: received, once_per: {sender: 7}}}"),
        [
            (
                "4:60 rules[0].then[0].reply.once_per.sender: '7' has no unit; write a number with one, "
                "such as 30s, 15m, 12h, 7d or 2w"
            )
        ],
        id="a duration without a unit",
    ),
    pytest.param(
        then("{reply: {template: received, once_per: {sender: '12:30'}}}"),
        [
            (
                "4:60 rules[0].then[0].reply.once_per.sender: must be a number with a unit, such as 30s, "
                "15m, 12h, 7d or 2w"
            )
        ],
        id="a duration that was sexagesimal in YAML 1.1",
    ),
    pytest.param(
        then("{reply: {template: received, once_per: 7d}}"),
        ["4:51 rules[0].then[0].reply.once_per: must be a map; "],
        id="a limit without its key",
    ),
    pytest.param(
        then("{reply: {template: received, once_per: {recipient: 7d}}}"),
        [
            "4:51 rules[0].then[0].reply.once_per: 'sender' is missing",
            "4:52 rules[0].then[0].reply.once_per.recipient: unknown key 'recipient'; ",
        ],
        id="a limit by another key",
    ),
    pytest.param(
        when('{subject: {regex: "(?i)order\\d"}}'),
        ["3:39: is not YAML: in double quotes a backslash begins an escape; write single quotes: '...'"],
        id="a pattern in double quotes",
    ),
    pytest.param(
        when("{subject: {regex: '[a-z'}}"),
        ["3:29 rules[0].when.subject.regex: is no RE2 pattern: missing ]: [a-z"],
        id="a class left open in a pattern",
    ),
    pytest.param(
        when("{subject: {regex: '*order'}}"),
        ["3:29 rules[0].when.subject.regex: is no RE2 pattern: no argument for repetition operator: *"],
        id="a glob as a pattern",
    ),
    pytest.param(
        when("{subject: {regex: 'a{5000}'}}"),
        ["3:29 rules[0].when.subject.regex: is no RE2 pattern: invalid repetition size: {5000}"],
        id="a pattern with a large count",
    ),
    pytest.param(
        when("{subject: {contains: }}"),
        ["3:22 rules[0].when.subject.contains: is empty; write a value, or take the key out"],
        id="a text left out",
    ),
    pytest.param(
        when("{subject: {not: x}}"),
        [
            (
                "3:22 rules[0].when.subject.not: unknown key 'not'; put what must not hold below 'not': "
                "{not: {subject: {contains: x}}}"
            )
        ],
        id="a negation as a kind",
    ),
    pytest.param(
        when("{not: [{subject: x}]}"),
        [
            (
                "3:17 rules[0].when.not: must be a map with exactly one key, the condition, not a list; "
                "write {all: [...]} where each must hold, {any: [...]} where one must"
            )
        ],
        id="not of a list",
    ),
    pytest.param(
        when("{not: unread}"),
        [
            (
                "3:17 rules[0].when.not: must be a map with exactly one key, the condition; unknown "
                "condition 'unread'; write is: unread, is: starred"
            )
        ],
        id="not of a text",
    ),
    pytest.param(
        when("{all: {subject: x}}"),
        ["3:17 rules[0].when.all: must be a list; put '- ' before each item"],
        id="all of a map",
    ),
    pytest.param(
        when("{all: [{subject: x, from: a@b.example}]}"),
        [
            (
                "3:18 rules[0].when.all[0]: must be a map with exactly one key, the condition; it has: "
                "subject, from; write {all: [...]} around them, each an item"
            )
        ],
        id="an item of all with two conditions",
    ),
    pytest.param(
        when("{all: [[{subject: x}]]}"),
        [
            (
                "3:18 rules[0].when.all[0]: must be a map with exactly one key, the condition, not a "
                "list; write {all: [...]} where each must hold, {any: [...]} where one must"
            )
        ],
        id="a list within all",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when:\n      all:\n        -\n    then: [{archive: true}]\n",
        [
            (
                "5:9 rules[0].when.all[0]: must be a map with exactly one key, the condition; nothing "
                "stands here"
            )
        ],
        id="an item of all left out",
    ),
    pytest.param(
        when("{and: [{subject: x}]}"),
        ["3:11 rules[0].when: unknown condition 'and'; write 'all'"],
        id="and for all",
    ),
    pytest.param(
        when("{is: {unread: true}}"),
        [
            (
                "3:16 rules[0].when.is: must be one of calendar, encrypted, forward, important, reply, "
                "signed, starred, unread, or a list of them"
            )
        ],
        id="a fact as a map",
    ),
    pytest.param(
        when("{is: Unread}"),
        ["3:16 rules[0].when.is: unknown fact 'Unread'; did you mean 'unread'?"],
        id="a fact in capitals",
    ),
    pytest.param(
        when("{has: attachment}"),
        ["3:11 rules[0].when: unknown condition 'has'; write attachment: true"],
        id="Gmail's has",
    ),
    pytest.param(
        when("{attachment: yes}"),
        ["3:24 rules[0].when.attachment: must be true or false, or a map; "],
        id="yes is no truth value for an attachment",
    ),
    pytest.param(
        when("{attachment: pdf}"),
        ["3:24 rules[0].when.attachment: must be true or false, or a map; "],
        id="an attachment by its type alone",
    ),
    pytest.param(
        when("{attachment: {type: .pdf}}"),
        [
            (
                "3:31 rules[0].when.attachment.type: unknown type '.pdf'; did you mean 'pdf'? (or write "
                "a media type such as application/pdf)"
            )
        ],
        id="a type with its dot",
    ),
    pytest.param(
        when("{attachment: {filename: a.pdf}}"),
        ["3:25 rules[0].when.attachment.filename: unknown key 'filename'; did you mean 'name'?"],
        id="Gmail's filename",
    ),
    pytest.param(
        when("{attachment: {sha256: abc}}"),
        ["3:33 rules[0].when.attachment.sha256: must be 64 hexadecimal digits"],
        id="a digest that is too short",
    ),
    pytest.param(
        when("{from: {contains: partner}}"),
        [
            (
                "3:19 rules[0].when.from.contains: unknown key 'contains'; addresses are compared whole: "
                "write 'domain', or 'glob' such as '*@x.example'"
            )
        ],
        id="a part of an address",
    ),
    pytest.param(
        when("{from: Ann Smith}"),
        [("3:18 rules[0].when.from: 'Ann Smith' is no address; for a display name write {name: Ann Smith}")],
        id="a display name as an address",
    ),
    pytest.param(
        when("{from: 'Ann <ann@x.example>'}"),
        [
            (
                "3:18 rules[0].when.from: 'Ann <ann@x.example>' is more than an address; write {is: "
                "ann@x.example, name: Ann}, or the address alone"
            )
        ],
        id="a name and an address",
    ),
    pytest.param(
        when("{from: 'a@x.example, b@x.example'}"),
        [
            (
                "3:18 rules[0].when.from: 'a@x.example, b@x.example' is more than an address; write a "
                "list: [a@x.example, b@x.example]"
            )
        ],
        id="two addresses in one text",
    ),
    pytest.param(
        when("{from: {domain: 'https://x.example'}}"),
        [
            (
                "3:27 rules[0].when.from.domain: 'https://x.example' is no domain; write x.example, or "
                "*.x.example for its subdomains"
            )
        ],
        id="a URL as a domain",
    ),
    pytest.param(
        when("{from: {domain: ann@x.example}}"),
        [
            (
                "3:27 rules[0].when.from.domain: 'ann@x.example' is no domain; write x.example, or "
                "*.x.example for its subdomains"
            )
        ],
        id="an address as a domain",
    ),
    pytest.param(
        when("{from: {list: vip}}"),
        ["3:25 rules[0].when.from.list: unknown list 'vip'; there is none yet"],
        id="a list that is not there",
    ),
    pytest.param(
        when("{header: {X-Spam: yes}}"),
        ["3:20 rules[0].when.header: write {name: X-Spam, is: ...}, or another kind beside the name"],
        id="a header by its name as key",
    ),
    pytest.param(
        when("{header: {name: 'X-Spam:', contains: yes}}"),
        ["3:27 rules[0].when.header.name: 'X-Spam:' is no header name, such as X-Spam"],
        id="a header name with its colon",
    ),
    pytest.param(
        when("{automated: yes}"),
        ["3:23 rules[0].when.automated: write true for 'yes', or a list of kinds"],
        id="yes is no truth value for automated mail",
    ),
    pytest.param(
        when("{automated: newsletter}"),
        ["3:23 rules[0].when.automated: unknown kind of automated mail 'newsletter'; "],
        id="a kind of automated mail that is none",
    ),
    pytest.param(
        then("{label: }"),
        ["4:13 rules[0].then[0].label: changes nothing; write add or remove"],
        id="an action without settings",
    ),
    pytest.param(
        then("{label: /A}"),
        ["4:20 rules[0].then[0].label: '/A' has an empty part in its path; write Parent/Child"],
        id="a label with a slash before it",
    ),
    pytest.param(
        then("{mark: seen}"), ["4:19 rules[0].then[0].mark: unknown mark 'seen'; "], id="IMAP's seen"
    ),
    pytest.param(
        then("{mark: [read, starred]}"),
        ["4:19 rules[0].then[0].mark: must be a map, not a list; "],
        id="marks as a list",
    ),
    pytest.param(
        then("{archive: false}"),
        ["4:22 rules[0].then[0].archive: write true, or {scope: thread}"],
        id="an action with false",
    ),
    pytest.param(
        then("{archive: yes}"),
        ["4:22 rules[0].then[0].archive: write true, or {scope: thread}"],
        id="an action with yes",
    ),
    pytest.param(
        then("{trash: {x: 1}}"),
        ["4:21 rules[0].then[0].trash.x: unknown key 'x'; there are: after, scope"],
        id="an action with a setting that it has not",
    ),
    pytest.param(
        then("{move: Finance}"),
        ["4:12 rules[0].then[0]: unknown action 'move'; write label: {add: [Name], remove: [INBOX]}"],
        id="Gmail's move",
    ),
    pytest.param(
        then("{reply: 'Thank you for your mail'}"),
        ["4:20 rules[0].then[0].reply: unknown template 'Thank you for your mail'; "],
        id="the text of an answer in place of its template",
    ),
    pytest.param(
        then("{reply: {template: received, to: a@b.example}}"),
        [
            (
                "4:41 rules[0].then[0].reply.to: unknown key 'to'; an answer goes to whom it answers; "
                "'send' takes 'to'"
            )
        ],
        id="an answer to somebody else",
    ),
    pytest.param(
        then("{reply: {body: hi}}"),
        [
            "4:20 rules[0].then[0].reply: 'template' is missing",
            (
                "4:21 rules[0].then[0].reply.body: unknown key 'body'; it stands in the template, a file "
                "in templates/"
            ),
        ],
        id="the text of an answer in the rule",
    ),
    pytest.param(
        then("{reply: {template: received, with: [a, b]}}"),
        ["4:47 rules[0].then[0].reply.with: must be a map, not a list; write NAME: VALUE below it"],
        id="inputs as a list",
    ),
    pytest.param(
        then("{reply: {with: {a: b}}}"),
        ["4:20 rules[0].then[0].reply: 'template' is missing"],
        id="an answer without its template",
    ),
    pytest.param(
        then("{reply: received.md}"),
        ["4:20 rules[0].then[0].reply: unknown template 'received.md'; did you mean 'received'?"],
        id="a template with its suffix",
    ),
    pytest.param(
        then("{send: {template: received, to: our desk@acme.example}}"),
        ["4:44 rules[0].then[0].send.to: 'our desk@acme.example' is no address, such as ann@x.example"],
        id="a recipient of two words",
    ),
    pytest.param(
        then("{send: {template: received, to: support}}"),
        ["4:44 rules[0].then[0].send.to: 'support' is no address, such as ann@x.example"],
        id="a recipient without a domain",
    ),
    pytest.param(
        then("{send: {template: received, to: []}}"),
        ["4:44 rules[0].then[0].send.to: must not be empty"],
        id="recipients left out",
    ),
    pytest.param(
        then("{label: '{{ captures.x }}'}"),
        [
            (
                "4:20 rules[0].then[0].label: unknown capture 'x'; there is none yet; name a group "
                "(?P<...>) in a regex of this rule"
            )
        ],
        id="a capture that nobody sets",
    ),
    pytest.param(
        then("{label: '{{ x }}'}"),
        ["4:20 rules[0].then[0].label: a label takes {{ captures.NAME }}, | lower, | upper and no more"],
        id="a capture without its prefix",
    ),
    pytest.param(
        then("{label: {{ captures.x }}}"),
        ["4:21: not allowed: a key that is not a text; quote a text that begins with '{' or '['"],
        id="braces without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    title: Re: hello\n    when: {subject: x}\n    then: [{archive: true}]\n",
        ["3:14: is not YAML: a second ': ' in one line; quote the text that holds it"],
        id="a colon without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {from: @x.example}\n    stop: true\n",
        ["3:18: is not YAML: no text may begin with '@' unless it is quoted: write '@...' in quotes"],
        id="an @ without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {from: {glob: *@x.example}}\n    stop: true\n",
        ["3:26: is not YAML: quote a text that begins with '*'"],
        id="a star without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: !urgent}\n    stop: true\n",
        ["3:28: is not YAML: quote a text that begins with '!'"],
        id="an exclamation mark without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: #urgent}\n    stop: true\n",
        ["4:9: is not YAML: a '#' after a blank begins a comment; quote the text that holds it"],
        id="a hash without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when:\n      subject: %x\n    stop: true\n",
        ["4:16: is not YAML: no text may begin with '%' unless it is quoted: write '%...' in quotes"],
        id="a percent sign without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when:\n      subject: [EXT] Hello\n    stop: true\n",
        ["4:22: is not YAML: quote a text that begins with '['"],
        id="a bracket without quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when:\n      subject: `x`\n    stop: true\n",
        ["4:16: is not YAML: no text may begin with '`' unless it is quoted: write '`...' in quotes"],
        id="a backtick without quotes",
    ),
    pytest.param(
        "rules:\n  - id:a\n    when: {subject: x}\n    stop: true\n",
        ["3:9: is not YAML: no blank after the colon; write 'id: a'"],
        id="no blank after a colon",
    ),
    pytest.param(
        "rules:\n  -id: a\n    when: {subject: x}\n    stop: true\n",
        ["3:9: is not YAML: no blank after the dash; write '- id: ...'"],
        id="no blank after a dash",
    ),
    pytest.param(
        "rules:\n  - id: a\n   when: {subject: x}\n",
        [
            (
                "3:4: is not YAML: this line is indented unlike what it belongs to; let it begin in the "
                "same column as 2:3, or deeper than the line above"
            )
        ],
        id="a line indented too little",
    ),
    pytest.param(
        "rules:\n  - id: a\n      when: {subject: x}\n    stop: true\n",
        [("3:11: is not YAML: a key where none can stand; let it begin in the same column as the key above")],
        id="a line indented too much",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x\n    stop: true\n",
        ["4:9: is not YAML: the bracket of 3:11 is not closed; write ',' or '}'"],
        id="a brace left open",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: 'x}\n    stop: true\n",
        ["3:21: is not YAML: the quote that opens here is never closed"],
        id="a quote left open",
    ),
    pytest.param(
        'rules:\n  - id: a\n    when: {subject: {regex: "\\d+"}}\n    stop: true\n',
        ["3:30: is not YAML: in double quotes a backslash begins an escape; write single quotes: '...'"],
        id="a backslash in double quotes",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when:\n\t\tsubject: x\n",
        ["4:1: is not YAML: a tab cannot indent; write blanks"],
        id="tabs",
    ),
    pytest.param(
        "rules:\n  - &a {id: a, when: {subject: x}, stop: true}\n  - <<: *a\n    id: b\n",
        [
            "2:5: not allowed: an anchor ('&'); write the value out, or quote the text",
            "3:9: not allowed: an alias ('*'); write the value out, or quote the text",
        ],
        id="anchors and merge keys",
    ),
    pytest.param(
        "rules:\n  - id: a\n    id: b\n    when: {subject: x}\n    stop: true\n",
        ["3:5: not allowed: the key 'id' stands here twice; join the two, or take one out"],
        id="an id written twice",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x}\n    when: {subject: y}\n    stop: true\n",
        ["4:5: not allowed: the key 'when' stands here twice; join the two, or take one out"],
        id="a condition written twice",
    ),
    pytest.param(
        "rules:\r\n  - id: a\r\n    wen: {subject: x}\r\n    stop: true\r\n",
        ["2:3 rules[0]: 'when' is missing", "3:5 rules[0].wen: unknown key 'wen'; did you mean 'when'?"],
        id="lines that end as on Windows",
    ),
    pytest.param(
        "rules:\n  - id: “a”\n    when: {subject: x}\n    stop: true\n",
        ["2:9 rules[0].id: '“a”' is no id: letters, digits, '-', '_' and '.', at most 100, no blanks"],
        id="quotes from a word processor",
    ),
    pytest.param(
        "rules:\n  - id: my rule\n    when: {subject: x}\n    x-a: 1\n    then: [{archive: true}]\n",
        [("2:9 rules[0].id: 'my rule' is no id: letters, digits, '-', '_' and '.', at most 100, no blanks")],
        id="an id with a blank",
    ),
    pytest.param(
        "rules:\n  - id: größe\n    when: {subject: x}\n    then: [{archive: true}]\n",
        ["2:9 rules[0].id: 'größe' is no id: letters, digits, '-', '_' and '.', at most 100, no blanks"],
        id="an id with an umlaut",
    ),
    pytest.param(
        "rules:\n  - id: [a]\n    when: {subject: x}\n    then: [{archive: true}]\n",
        ["2:9 rules[0].id: must be a text, not a list"],
        id="an id in brackets",
    ),
    pytest.param(
        "version: '1.0'\nrules: []\n",
        ["1:10 version: must be 1, the only version of this format there is"],
        id="a version as a fraction",
    ),
    pytest.param(
        "lists: [a@b.example]\nrules: []\n",
        ["1:8 lists: must be a map, not a list; write NAME: VALUE below it"],
        id="lists without names",
    ),
    pytest.param(
        "lists: {vips: {a: b}}\nrules: []\n",
        ["1:15 lists.vips: must be a list; put '- ' before each item"],
        id="a list as a map",
    ),
    pytest.param(
        "lists: {vips: }\nrules: []\n", ["1:9 lists.vips: must be a list and is empty"], id="a list left out"
    ),
    pytest.param(
        "lists: {vips: [x.example]}\nrules: []\n",
        ["1:16 lists.vips[0]: 'x.example' has no '@'; write '@x.example' for everybody at that domain"],
        id="a list's domain without its @",
    ),
    pytest.param(
        "rules:\n  - group: {id: g, mode: first}\n",
        ["2:12 rules[0].group: 'rules' is missing"],
        id="a group without rules",
    ),
    pytest.param(
        "rules:\n  - group: {id: g, rules: []}\n",
        ["2:27 rules[0].group.rules: must not be empty"],
        id="a group of no rules",
    ),
    pytest.param(
        "rules:\n  - group: {rules: [{id: a, stop: true}]}\n",
        ["2:12 rules[0].group: 'id' is missing"],
        id="a group without an id",
    ),
    pytest.param(
        "rules:\n  - group: {id: g, mode: frist, rules: [{id: a, stop: true}]}\n",
        ["2:26 rules[0].group.mode: unknown value 'frist'; did you mean 'first'?"],
        id="a mode misspelt",
    ),
    pytest.param(
        "rules:\n  - group: g\n    rules: []\n",
        ["2:3 rules[0]: 'rules' stands beside 'group'; what belongs to a group is indented below it"],
        id="a group by its name alone",
    ),
    pytest.param(
        "rules:\n  - group:\n    id: g\n    mode: first\n    rules: [{id: a, stop: true}]\n",
        ["2:3 rules[0]: 'id' stands beside 'group'; what belongs to a group is indented below it"],
        id="a group's keys indented too little",
    ),
    pytest.param(
        "rules:\n  - group: {id: g, then: [{archive: true}], rules: [{id: a, stop: true}]}\n",
        ["2:20 rules[0].group.then: unknown key 'then'; write it in each rule of the group"],
        id="actions of a group",
    ),
    pytest.param(
        "rules:\n  - group: {id: g, rules: [{id: a, layer: after, stop: true}]}\n",
        [("2:36 rules[0].group.rules[0].layer: unknown key 'layer'; 'layer' belongs to the outermost group")],
        id="a layer within a group",
    ),
    pytest.param(
        "rules:\n  - group: {id: g, rules: [{id: a, mailboxes: a@b.example, stop: true}]}\n",
        [
            (
                "2:36 rules[0].group.rules[0].mailboxes: unknown key 'mailboxes'; 'mailboxes' belongs to "
                "the outermost group"
            )
        ],
        id="a scope within a group",
    ),
    pytest.param(
        "rules:\n  - group: [{id: a, stop: true}]\n",
        ["2:12 rules[0].group: must be a map, not a list; "],
        id="a group as a list",
    ),
    pytest.param(
        "rules:\n  - gruop: {id: g, rules: [{id: a, stop: true}]}\n",
        [
            "2:3 rules[0]: 'id' is missing",
            "2:3 rules[0]: 'when' is missing",
            "2:5 rules[0].gruop: unknown key 'gruop'; did you mean 'group'?",
        ],
        id="a group misspelt",
    ),
    pytest.param(
        "rules:\n  - id: a\n    when: {subject: x}\n    rules: [{id: b, stop: true}]\n",
        [
            (
                "4:5 rules[0].rules: unknown key 'rules'; rules within others stand in a group: - group: "
                "{id: ..., rules: [...]}"
            )
        ],
        id="rules within a rule",
    ),
    pytest.param(
        then("{archive: true}]\n    else: [{trash: true}"),
        [
            (
                "5:5 rules[0].else: unknown key 'else'; write a group of mode: first, whose last rule "
                "has no 'when'"
            )
        ],
        id="else",
    ),
    pytest.param(
        "rules:\n  - id: a\n    then: [{archive: true}]\n",
        ["2:3 rules[0]: 'when' is missing"],
        id="a rule without a condition",
    ),
    pytest.param(
        key("event: received"),
        ["4:12 rules[0].event: unknown value 'received'; did you mean 'message.received'?"],
        id="an event without its first half",
    ),
    pytest.param(key("event: [message.received]"), ["4:12 rules[0].event: "], id="events as a list"),
    pytest.param(
        key("enabled: false"),
        ["4:5 rules[0].enabled: unknown key 'enabled'; write state: off, or state: shadow to try it out"],
        id="a switch",
    ),
    pytest.param(
        key("name: hello"),
        ["4:5 rules[0].name: unknown key 'name'; write 'title', or a key such as 'x-note'"],
        id="a name for an id",
    ),
    pytest.param(
        key("mailbox: a@b.example"),
        ["4:5 rules[0].mailbox: unknown key 'mailbox'; write 'mailboxes'"],
        id="one mailbox",
    ),
    pytest.param(
        key("tests: [{name: t, given: {subject: x}}]"),
        ["4:13 rules[0].tests[0]: 'expect' is missing"],
        id="a test that expects nothing",
    ),
    pytest.param(
        key("tests: {name: t, expect: {matched: true}}"),
        ["4:12 rules[0].tests: must be a list; put '- ' before each item"],
        id="tests as a map",
    ),
    pytest.param(
        key("tests: [{name: t, expect: [archive]}]"),
        ["4:31 rules[0].tests[0].expect: must be a map, not a list; "],
        id="an expectation as a list",
    ),
    pytest.param(
        key("tests: [{name: t, expect: {actions: [arcive]}}]"),
        [
            (
                "4:42 rules[0].tests[0].expect.actions[0]: must be a map with exactly one key, the "
                "action; unknown action 'arcive'; did you mean 'archive'?"
            )
        ],
        id="an expected action misspelt",
    ),
    pytest.param(
        key("tests: [{name: t, expect: {matched: yes}}]"),
        ["4:41 rules[0].tests[0].expect.matched: must be true or false; write true for 'yes'"],
        id="yes in a test",
    ),
    pytest.param(
        key("tests: [{name: t, given: hello, expect: {matched: true}}]"),
        ["4:30 rules[0].tests[0].given: must be a map; "],
        id="a message as a text",
    ),
    pytest.param(
        key("tests: [{name: t, given: {date: 1.3.2026}, expect: {matched: true}}]"),
        ["4:37 rules[0].tests[0].given.date: must be a date or time such as 2026-03-01T09:30:00+01:00"],
        id="a date as people write it",
    ),
    pytest.param(
        key("tests: [{name: t, given: {headers: [X-A]}, expect: {matched: true}}]"),
        ["4:40 rules[0].tests[0].given.headers: must be a map, not a list; write NAME: VALUE below it"],
        id="headers as a list",
    ),
    pytest.param(
        key("tests: [{name: t, given: {attachments: {name: a.pdf}}, expect: {matched: true}}]"),
        ["4:44 rules[0].tests[0].given.attachments: must be a list; put '- ' before each item"],
        id="one attachment without its list",
    ),
    pytest.param(
        key("tests: [{name: t, given: {attachments: [a.pdf]}, expect: {matched: true}}]"),
        ["4:45 rules[0].tests[0].given.attachments[0]: must be a map; "],
        id="an attachment by its name alone",
    ),
    pytest.param(
        key("tests: [{name: t, given: {attachments: [{name: a.pdf, size: big}]}, expect: {matched: true}}]"),
        [
            (
                "4:65 rules[0].tests[0].given.attachments[0].size: must be a number with a unit, such as "
                "10KB, 1.5MB or 2MiB"
            )
        ],
        id="a size in words in a test",
    ),
    pytest.param(
        key("tests: [{name: t, expect: {labels: [A]}}]"),
        ["4:40 rules[0].tests[0].expect.labels: must be a map, not a list; "],
        id="expected labels as a list",
    ),
    pytest.param(
        key("tests: [{name: t, expect: {captures: [a]}}]"),
        [("4:42 rules[0].tests[0].expect.captures: must be a map, not a list; write NAME: VALUE below it")],
        id="expected captures as a list",
    ),
]


def problems(text: str) -> list[str]:
    with pytest.raises(RuleErrors) as caught:
        load_rules({"r.yaml": text}, {"received": frozenset()})
    return [str(error).removeprefix("r.yaml:") for error in caught.value.errors]


@pytest.mark.parametrize(("text", "said"), CASES)
def test_a_habit_is_named_where_it_stands_with_what_to_write(text: str, said: list[str]) -> None:
    found = problems(text)
    assert len(found) == len(said)
    for one, wanted in zip(found, said, strict=True):
        assert one.startswith(wanted)
