"""Servers that the suite measures itself with: bare ones, and ones whose cost or delay is known."""
