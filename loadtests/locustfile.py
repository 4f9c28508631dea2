"""The shop under Locust's own web page: `locust -f loadtests/locustfile.py --host http://127.0.0.1:8000`.

Shoppers browse with think time, as people do. This shows a server under load while you watch; the verdicts come from
`sidebyside bench`, which uses a leaner client (see load/connection.py) and pairs its measurements.
"""

import random

from locust import FastHttpUser, between, task

from shared.shop.seeded import ITEMS, PASSWORD, USERS

IN_STOCK = [item_id for item_id in range(1, ITEMS + 1) if item_id % 10]  # the others may be sold out
SORTS = ("id", "-price", "name")


class Shopper(FastHttpUser):
    """Somebody who looks around a lot, reads a few items, buys now and then, and sometimes makes a mistake."""

    wait_time = between(0.5, 2.0)

    def on_start(self) -> None:
        """Log in as one of the seeded users."""
        self.user_id = random.randint(2, USERS)
        login = {"username": f"user_{self.user_id:03d}", "password": PASSWORD}
        answer = self.client.post("/api/auth/token", json=login)
        self.own = {"Authorization": f"Bearer {answer.json()['access_token']}"}

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
    def look_at_oneself(self) -> None:
        """Read who is logged in."""
        self.client.get("/api/users/me", headers=self.own)

    @task(1)
    def place_order(self) -> None:
        """Order three different items."""
        lines = [{"item_id": item_id, "quantity": 1} for item_id in random.sample(IN_STOCK, 3)]
        self.client.post("/api/orders", json={"user_id": self.user_id, "lines": lines}, headers=self.own)

    @task(1)
    def send_invalid_order(self) -> None:
        """Order nothing at all; the right answer is 422."""
        body = {"user_id": self.user_id, "lines": []}
        with self.client.post(
            "/api/orders", json=body, name="/api/orders (invalid)", headers=self.own, catch_response=True
        ) as answer:
            if answer.status_code == 422:
                answer.success()
            else:
                answer.failure(f"expected 422, got {answer.status_code}")
