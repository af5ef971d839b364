"""The sandbox's tables. SQLite is the only state: a database file continues where it ended.

Every list is paged by a key that an index is sorted by (date and row, or history id), so a page
costs the same in a mailbox of a hundred messages and of a hundred thousand.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack

from engine.errors import SettingsError

VERSION = 3

TABLES = """
CREATE TABLE mailboxes (
    row INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    aliases TEXT NOT NULL,
    groups TEXT NOT NULL,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,
    history INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    labels_made INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    threads INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE messages (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox INTEGER NOT NULL,
    id TEXT NOT NULL,
    thread TEXT NOT NULL,
    message_id TEXT NOT NULL,
    date INTEGER NOT NULL,
    history INTEGER NOT NULL,
    size INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    snippet TEXT NOT NULL,
    moved INTEGER,
    send_time INTEGER,
    user_scheduled INTEGER NOT NULL
);
CREATE UNIQUE INDEX messages_by_id ON messages (mailbox, id);
CREATE INDEX messages_by_date ON messages (mailbox, date, row);
CREATE INDEX messages_shown ON messages (mailbox, hidden, date, row);
CREATE INDEX messages_by_message_id ON messages (mailbox, message_id);
CREATE INDEX messages_by_thread ON messages (mailbox, thread, date, row);
CREATE TABLE threads (
    mailbox INTEGER NOT NULL,
    id TEXT NOT NULL,
    messages INTEGER NOT NULL,
    history INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'normal',
    PRIMARY KEY (mailbox, id)
) WITHOUT ROWID;
CREATE TRIGGER thread_begun AFTER INSERT ON threads BEGIN
    UPDATE mailboxes SET threads = threads + 1 WHERE row = new.mailbox;
END;
CREATE TRIGGER thread_ended AFTER DELETE ON threads BEGIN
    UPDATE mailboxes SET threads = threads - 1 WHERE row = old.mailbox;
END;
CREATE TRIGGER message_put AFTER INSERT ON messages BEGIN
    UPDATE mailboxes SET messages = messages + 1, bytes = bytes + new.size WHERE row = new.mailbox;
    INSERT INTO threads (mailbox, id, messages, history) VALUES (new.mailbox, new.thread, 1, new.history)
        ON CONFLICT DO UPDATE SET messages = messages + 1, history = excluded.history;
END;
CREATE TRIGGER message_changed AFTER UPDATE OF history ON messages BEGIN
    UPDATE threads SET history = new.history WHERE mailbox = new.mailbox AND id = new.thread;
END;
CREATE TRIGGER message_rewritten AFTER UPDATE OF size ON messages BEGIN
    UPDATE mailboxes SET bytes = bytes + new.size - old.size WHERE row = new.mailbox;
END;
CREATE TRIGGER message_gone AFTER DELETE ON messages BEGIN
    UPDATE mailboxes SET messages = messages - 1, bytes = bytes - old.size WHERE row = old.mailbox;
    UPDATE threads
        SET messages = messages - 1, history = (SELECT history FROM mailboxes WHERE row = old.mailbox)
        WHERE mailbox = old.mailbox AND id = old.thread;
    DELETE FROM threads WHERE mailbox = old.mailbox AND id = old.thread AND messages = 0;
END;
CREATE TABLE contents (message INTEGER PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE labels (
    mailbox INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    kind TEXT NOT NULL,
    shape TEXT NOT NULL,
    total INTEGER NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0,
    threads INTEGER NOT NULL DEFAULT 0,
    threads_unread INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (mailbox, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX labels_by_name ON labels (mailbox, parent, name);
CREATE TABLE message_labels (
    mailbox INTEGER NOT NULL,
    label TEXT NOT NULL,
    date INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (mailbox, label, date, message)
) WITHOUT ROWID;
CREATE INDEX message_labels_by_message ON message_labels (message, label);
CREATE TABLE label_threads (
    mailbox INTEGER NOT NULL,
    label TEXT NOT NULL,
    thread TEXT NOT NULL,
    messages INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    PRIMARY KEY (mailbox, label, thread)
) WITHOUT ROWID;
CREATE TRIGGER counted AFTER INSERT ON label_threads BEGIN
    UPDATE labels SET total = total + new.messages, unread = unread + new.unread,
        threads = threads + 1, threads_unread = threads_unread + (new.unread > 0)
        WHERE mailbox = new.mailbox AND id = new.label;
END;
CREATE TRIGGER recounted AFTER UPDATE ON label_threads BEGIN
    UPDATE labels SET total = total + new.messages - old.messages, unread = unread + new.unread - old.unread,
        threads_unread = threads_unread + (new.unread > 0) - (old.unread > 0)
        WHERE mailbox = new.mailbox AND id = new.label;
END;
CREATE TRIGGER uncounted AFTER DELETE ON label_threads BEGIN
    UPDATE labels SET total = total - old.messages, unread = unread - old.unread,
        threads = threads - 1, threads_unread = threads_unread - (old.unread > 0)
        WHERE mailbox = old.mailbox AND id = old.label;
END;
CREATE TABLE thread_keys (
    mailbox INTEGER NOT NULL,
    key TEXT NOT NULL,
    thread TEXT NOT NULL,
    PRIMARY KEY (mailbox, key)
) WITHOUT ROWID;
CREATE TABLE history (
    mailbox INTEGER NOT NULL,
    id INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (mailbox, id)
) WITHOUT ROWID;
CREATE TABLE outbox (
    row INTEGER PRIMARY KEY,
    mailbox TEXT NOT NULL,
    id TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    message_id TEXT NOT NULL,
    raw BLOB NOT NULL,
    at INTEGER NOT NULL
);
CREATE TABLE filters (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox INTEGER NOT NULL,
    id TEXT NOT NULL,
    shape TEXT NOT NULL
);
CREATE UNIQUE INDEX filters_by_id ON filters (mailbox, id);
CREATE TABLE vacations (mailbox INTEGER PRIMARY KEY, shape TEXT NOT NULL);
CREATE TABLE answered (
    mailbox INTEGER NOT NULL,
    address TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (mailbox, address)
) WITHOUT ROWID;
CREATE TABLE delegates (
    mailbox INTEGER NOT NULL,
    address TEXT NOT NULL,
    access TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (mailbox, address)
) WITHOUT ROWID;
CREATE TABLE tokens (
    value TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    redirect TEXT NOT NULL,
    expires REAL NOT NULL,
    revoked INTEGER NOT NULL
) WITHOUT ROWID;
"""

CONTENT = (
    "tokens", "outbox", "history", "delegates", "answered", "vacations", "filters", "thread_keys",
    "mailboxes", "labels", "label_threads", "threads", "message_labels", "contents", "messages",
)  # fmt: skip
"""Every table; what triggers keep in step with others goes before those, and costs nothing."""


def open_database(path: str) -> sqlite3.Connection:
    """Open or make a database. Raises SettingsError when the file holds something else."""
    with ExitStack() as stack:
        try:
            database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            stack.callback(database.close)
            database.row_factory = sqlite3.Row
            _prepare(database, path)
        except sqlite3.Error as error:
            raise SettingsError(f"{path}: {error}; name a sandbox database or a new file") from error
        stack.pop_all()
        return database


def _prepare(database: sqlite3.Connection, path: str) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        raise SettingsError(f"{path} has layout {version}, this sandbox reads {VERSION}; name a new file")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA cache_size = -65536")
    if version == 0:
        database.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
