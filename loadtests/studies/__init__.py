"""Figures of the suite itself, as docs/method.md quotes them: each module is run by a verb of the Makefile."""
