"""Servers to test the suite with: bare servers, and servers of known cost, delay or pauses."""
