"""Postroom: a self-hosted rules engine for mailboxes."""

__version__ = "0.1.0"
