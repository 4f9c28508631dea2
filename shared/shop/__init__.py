"""The domain of both apps: rules, rows, SQL, and what they decide."""
