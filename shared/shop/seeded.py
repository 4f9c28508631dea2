"""What every seeded database holds; for modules that need only these names, not SQLAlchemy."""

ITEMS, USERS, ORDERS = 1000, 200, 1000
# Everybody's password in seeded databases, which are made to be looked at and measured, and dropped.
ADMIN, PASSWORD = "user_001", "sidebyside"
