"""The shop under Locust's own web page: `locust -f loadtests/locustfile.py --host http://127.0.0.1:8000`.

Shoppers browse with think time, as people do. This shows a server under load while you watch; the verdicts come from
`sidebyside bench`, which uses a leaner client (see paced.py) and pairs its measurements.
"""

import random

from locust import FastHttpUser, between, task

ITEMS, USERS = 1000, 200  # the seeded rows
IN_STOCK = [item_id for item_id in range(1, ITEMS + 1) if item_id % 10]  # the others may be sold out
SORTS = ("id", "-price", "name")


class Shopper(FastHttpUser):
    """Somebody who looks around a lot, reads a few items, buys now and then, and sometimes makes a mistake."""

    wait_time = between(0.5, 2.0)

    @task(6)
    def look_at_item(self) -> None:
        """Read one item."""
        self.client.get(f"/api/items/{random.randint(1, ITEMS)}", name="/api/items/{id}")

    @task(2)
    def browse(self) -> None:
        """List a page of items and look at two of them."""
        path = f"/api/items?limit=20&offset={20 * random.randint(0, 40)}&sort={random.choice(SORTS)}"
        with self.client.get(path, name="/api/items", catch_response=True) as page:
            shown = page.json()["items"] if page.status_code == 200 else []
        for item in random.sample(shown, min(2, len(shown))):
            self.client.get(f"/api/items/{item['id']}", name="/api/items/{id}")

    @task(1)
    def look_at_user(self) -> None:
        """Read one user."""
        self.client.get(f"/api/users/{random.randint(1, USERS)}", name="/api/users/{id}")

    @task(1)
    def place_order(self) -> None:
        """Order three different items."""
        lines = [{"item_id": item_id, "quantity": 1} for item_id in random.sample(IN_STOCK, 3)]
        self.client.post("/api/orders", json={"user_id": random.randint(1, USERS), "lines": lines})

    @task(1)
    def send_invalid_item(self) -> None:
        """Post an item without a name; the right answer is 422."""
        body = {"name": "", "price_cents": -1}
        with self.client.post(
            "/api/items", json=body, name="/api/items (invalid)", catch_response=True
        ) as answer:
            if answer.status_code == 422:
                answer.success()
            else:
                answer.failure(f"expected 422, got {answer.status_code}")
