"""What both apps have in common: data, decisions and SQL. Knows no framework and starts nothing on import."""
