"""Proofs at scale: Postroom under kills, torn writes, faults, load and forgery. `python -m prove`."""
