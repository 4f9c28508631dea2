"""The catalog and a command's options, read from TOML and checked, as frozen records.

`catalog` holds the files of one folder, `selection` takes out of them what a command was asked for. `entries` reads
and checks TOML; `contestants`, `scenarios` (with their `fields`), `profiles` and `metrics` are the records; `codec`
writes records as JSON and reads them back.
"""
