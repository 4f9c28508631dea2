"""The catalog and a command's options, read from TOML and checked, as frozen records."""
