"""Processes, servers, services and what the kernel says of them and of this machine."""
