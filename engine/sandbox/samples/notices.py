"""Mail that nobody expects an answer to: notifications and newsletters."""

from __future__ import annotations

from collections.abc import Iterator

from engine.sandbox.samples.files import GIF
from engine.sandbox.samples.wire import Sample, Value, both, html, inline, mail, multi, text, word

# name, sender, subject, further fields
NOTIFICATIONS: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("deploy", "CI <no-reply@ci.example>", "Build 1182 passed", (("Auto-Submitted", "auto-generated"),)),
    ("deploy-failed", "CI <no-reply@ci.example>", "Build 1183 failed",
     (("Auto-Submitted", "auto-generated"),)),
    ("parcel", "Parcel <noreply@parcel.example>", "Your parcel is on its way", ()),
    ("sign-in", "Security <do-not-reply@cloud.example>", "New sign-in from Hamburg", ()),
    ("backup", "root <root@backup.example>", "Backup finished: 0 errors",
     (("Auto-Submitted", "auto-generated"),)),
    ("cron", "Cron Daemon <root@web1.example>", "Cron <root@web1> /usr/bin/report",
     (("Auto-Submitted", "auto-generated"), ("X-Cron-Env", "<SHELL=/bin/sh>"))),
    ("monitor-down", "Monitor <alerts@monitor.example>", "DOWN: shop.acme.example",
     (("X-Auto-Response-Suppress", "All"), ("X-Priority", "1"))),
    ("monitor-up", "Monitor <alerts@monitor.example>", "UP: shop.acme.example",
     (("X-Auto-Response-Suppress", "All"),)),
    ("ticket", "Tracker <tracker@forge.example>", "[forge/app] Crash on start (#481)",
     (("List-ID", "forge/app <app.forge.forge.example>"), ("X-Forge-Reason", "subscribed"),
      ("Precedence", "list"))),
    ("calendar-share", "Calendar <calendar-notification@calendar.example>",
     "Kim shared a calendar with you",
     (("Auto-Submitted", "auto-generated"), ("Sender", "calendar-notification@calendar.example"))),
    ("comment", "Docs <comments-noreply@docs.example>", "Kim mentioned you in a comment",
     (("Reply-To", "Docs <d+abc123@docs.example>"),)),
    ("survey", "Voice <voice@survey.example>", "How did we do?", (("Feedback-ID", "17:acme:survey"),)),
    ("fax", "Fax gateway <fax@gateway.example>", "Fax from +49 30 5550199", (("X-Fax-Pages", "2"),)),
    ("voicemail", "Voicemail <noreply@phone.example>", "Message from +1 202 555 0101", ()),
)  # fmt: skip

# name, sender, subject, kind of newsletter
NEWSLETTERS = (
    ("weekly", "Weekly <news@weekly.example>", "This week in operations", "one-click"),
    ("shop", "Big Shop <offers@bigshop.example>", "🔥 Only today: 30% off", "one-click"),
    ("shop-again", "Big Shop <offers@bigshop.example>", "Last chance!", "one-click"),
    ("german", "Händlerbrief <brief@haendler.example>", "Neues im März", "mailto"),
    ("french", "La Lettre <lettre@journal.example>", "À la une cette semaine", "mailto"),
    ("list-en", "Dana <dana@member.example>", "[ops] Re: monitoring ideas", "list"),
    ("list-dev", "Lee <lee@member.example>", "[dev] Release 2.0", "list"),
    ("list-footer", "Pat <pat@member.example>", "[ops] Meeting notes", "list"),
    ("bulk", "Vendor <hello@vendor.example>", "Meet us at the fair", "bulk"),
    ("bulk-plain", "Vendor <hello@vendor.example>", "Our new catalogue", "bulk"),
    ("press", "Press <press@agency.example>", "Press release: new plant", "bulk"),
    ("digest", "Forum <digest@forum.example>", "Your daily digest", "digest"),
    ("group", "Kim <kim@integrator.example>", "[announce] Maintenance on Sunday", "group"),
)


def messages() -> Iterator[Sample]:
    """Give notifications, then newsletters."""
    for number, (name, sender, subject, extra) in enumerate(NOTIFICATIONS):
        plain, rich = f"{subject}\n", f"<h2>{subject}</h2><p>This is sent automatically.</p>"
        part = (text(plain, "us-ascii", "7bit"), both(plain, rich), html(rich, cte="base64"))[number % 3]
        yield mail(f"notice/{name}", sender, subject, part, extra=extra)
    for name, sender, subject, kind in NEWSLETTERS:
        yield _newsletter(name, sender, subject, kind)


def _newsletter(name: str, sender: str, subject: str, kind: str) -> Sample:
    person, _, address = sender.rpartition(" <")
    written = sender if person.isascii() else f"{word(person, encoding='q')} <{address}"
    plain = f"{subject}\n\nUnsubscribe: https://news.example/u/{name}\n"
    rich = f'<h1>{subject}</h1><p>News.</p><p><a href="https://news.example/u/{name}">Unsubscribe</a></p>'
    pixel = multi("related", html(rich + '<img src="cid:pixel">'), inline("pixel", "image/gif", GIF))
    part = {
        "one-click": multi("alternative", text(plain, cte="quoted-printable"), pixel),
        "mailto": both(plain, rich),
        "list": text(f"{plain}\n-- \nops mailing list\n", params="; format=flowed"),
        "bulk": html(rich),
        "digest": multi("mixed", text(plain), multi("digest", *(text(f"Item {n}\n") for n in range(3)))),
        "group": text(plain, "utf-8", "base64"),
    }[kind]
    coded = subject if subject.isascii() else word(subject, encoding="q")
    return mail(f"newsletter/{name}", written, coded, part, extra=_fields(name, kind))


def _fields(name: str, kind: str) -> list[tuple[str, Value]]:
    unsubscribe = f"<https://news.example/u/{name}>"
    return {
        "one-click": [  # RFC 8058
            ("List-Unsubscribe", f"{unsubscribe}, <mailto:u+{name}@news.example>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Feedback-ID", f"{name}:news"),
        ],
        "mailto": [("List-Unsubscribe", f"<mailto:u+{name}@news.example>"), ("Precedence", "bulk")],
        "list": [  # RFC 2369, RFC 2919
            ("List-Id", "Operations <ops.lists.example>"),
            ("List-Post", "<mailto:ops@lists.example>"),
            ("List-Help", "<mailto:ops-request@lists.example?subject=help>"),
            ("List-Archive", "<https://lists.example/ops>"),
            ("Sender", "ops-bounces@lists.example"),
            ("Precedence", "list"),
        ],
        "bulk": [("Precedence", "bulk"), ("X-Mailer", "MassMailer 3")],
        "digest": [("Precedence", "list"), ("List-Id", "<daily.forum.example>")],
        "group": [
            ("List-ID", "announce.integrator.example"),
            ("Mailing-list", "list announce; contact owner"),
        ],
    }[kind]  # type: ignore[return-value]
