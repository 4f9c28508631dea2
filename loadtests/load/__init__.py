"""The load generator: prepared requests, users, loops and the Locust process that holds them."""
