"""Processes, servers and services, and what the kernel reports about them and this machine.

Start at `environment.open_environment`: it runs PostgreSQL, Redis and the partner (`services`, `databases`) and
launches servers on fresh copies of a seeded database (`servers`). All of them are started, awaited and ended by
`processes`, which goes through `launch` so that nothing outlives this program. `meters` reads what processes use;
`kernel`, `cgroups` and `description` say what machine this is.
"""
