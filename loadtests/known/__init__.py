"""Servers whose truth is known, because they stamp it: the selftest measures them."""
