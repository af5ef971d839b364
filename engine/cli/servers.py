"""What `check` says of mailboxes whose receiving server has no name yet."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import Place, RuleError
from engine.rules.condition import walk
from engine.rules.conditions.auth import Auth
from engine.rules.ruleset import RuleSet
from engine.settings import Settings


def server_warnings(settings: Settings, ruleset: RuleSet) -> Iterator[RuleError]:
    """Name mailboxes in which rules ask for results of a server that the configuration does not name."""
    asking = [rule for rule in ruleset.rules if any(isinstance(node, Auth) for node in walk(rule.when))]
    for mailbox, own in settings.mailboxes.items():
        rules = [rule.id for rule in asking if rule.covers(mailbox)]
        if rules and not own.authserv_id:
            yield RuleError(
                f"has no authserv_id, so 'auth' believes nobody (rules {', '.join(rules)}): write the"
                " name with which its server begins its Authentication-Results",
                Place(settings.file, path=f"mailboxes.{mailbox}"),
            )
