"""The rules of the mix as one Sieve script, and Dovecot Pigeonhole that runs it over a Maildir."""

from __future__ import annotations

import os
import pwd
import re
import resource
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.mix import Spec

TOOLS = ("sievec", "sieve-filter")
WITHIN_S = 600
EMPTY = "Empty"
"""A mailbox without mail: to filter it takes what starting up takes."""
_CONFIG = """\
mail_location = maildir:{home}/Maildir:INDEX=MEMORY
mail_home = {home}
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
ssl = no
protocols =
base_dir = {home}/run
state_dir = {home}/run
log_path = /dev/stderr
postmaster_address = postmaster@ours.example
hostname = ours.example
plugin {{
  sieve_max_script_size = 0
  sieve_max_cpu_time = 0
  sieve_max_actions = 0
}}
"""
_FILED = re.compile(rb"^ \* store message in folder: r(\d+)$", re.M)
_PDF = (
    'anyof (header :mime :anychild :param "filename" :matches "content-disposition" "*.pdf", '
    'header :mime :anychild :param "name" :matches "content-type" "*.pdf")'
)


@dataclass(frozen=True, slots=True)
class Peer:
    """Compiled rules and a Maildir, ready to be filtered."""

    home: Path
    user: pwd.struct_passwd
    compiled_s: float


def missing() -> list[str]:
    """Name the tools of Pigeonhole that are not installed."""
    return [tool for tool in TOOLS if not shutil.which(tool)]


def set_up(home: Path, specs: Sequence[Spec], raws: Sequence[bytes]) -> Peer:
    """Write mail and rules down and compile the rules.

    Pigeonhole does not run as root: where we are, `home` and all in it becomes nobody's.
    """
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    for name in (
        "run",
        *(f"Maildir/{box}{sub}" for box in ("", f".{EMPTY}/") for sub in ("cur", "new", "tmp")),
    ):
        (home / name).mkdir(parents=True)
    for number, raw in enumerate(raws):
        (home / "Maildir" / "cur" / f"{1_000_000_000 + number}.M{number}.ours:2,").write_bytes(raw)
    (home / "rules.sieve").write_text(as_script(specs), encoding="utf-8")
    (home / "dovecot.conf").write_text(_CONFIG.format(home=home, uid=user.pw_uid, gid=user.pw_gid))
    if os.getuid() == 0:
        for path in (home, *home.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
    compiled_s, _ = _run(home, user, "sievec", str(home / "rules.sieve"))
    return Peer(home, user, compiled_s)


def run(peer: Peer, mailbox: str = "INBOX") -> tuple[float, list[list[int]]]:
    """Filter without carrying out: seconds of processor time, and the rules that hold, by message."""
    taken, told = _run(peer.home, peer.user, "sieve-filter", str(peer.home / "rules.sieve"), mailbox)
    messages = told.split(b">> Filtering message:")[1:]
    return taken, [[int(number) for number in _FILED.findall(message)] for message in messages]


def _run(home: Path, user: pwd.struct_passwd, tool: str, *arguments: str) -> tuple[float, bytes]:
    is_root, before = os.getuid() == 0, _children_s()
    done = subprocess.run(
        [tool, "-c", str(home / "dovecot.conf"), *arguments],
        capture_output=True,
        check=True,
        timeout=WITHIN_S,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "USER": user.pw_name, "TZ": "UTC"},
        user=user.pw_uid if is_root else None,
        group=user.pw_gid if is_root else None,
        extra_groups=[] if is_root else None,
    )
    return _children_s() - before, done.stdout


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def as_script(specs: Sequence[Spec]) -> str:
    """File a message under each rule that holds."""
    ifs = "".join(f'if {_test(spec)} {{ fileinto :copy "r{at}"; }}\n' for at, spec in enumerate(specs))
    return f'require ["fileinto", "copy", "regex", "body", "mime"];\n{ifs}'


def _test(spec: Spec) -> str:
    text = _quoted(spec.text)
    tests: dict[str, Callable[[], str]] = {
        "from": lambda: f'address :is "from" {text}',
        "domain": lambda: f'address :domain :is "from" {text}',
        "subject": lambda: f'header :contains "subject" {text}',
        "list": lambda: f'header :is "list-id" {text}',
        "regex": lambda: f'header :regex "subject" {_quoted(_posix(spec.text))}',
        "body": lambda: f"body :text :contains {text}",
        "both": lambda: f'allof (address :domain :is "from" {text}, {_PDF}, size :over 10000)',
    }
    return tests[spec.kind]()


def _posix(pattern: str) -> str:
    r"""Write a pattern as POSIX has it: no case by Sieve's own default, and `\d` in full."""
    return pattern.removeprefix("(?i)").replace("\\d", "[0-9]")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
