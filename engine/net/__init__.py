"""The one way out: HTTP with bounds, redaction and one reading of every failure."""
