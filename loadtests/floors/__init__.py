"""Servers' floors: the same answers as the apps' smallest route, with no framework between."""
