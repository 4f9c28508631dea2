"""The mistake on purpose: the answer is given now and the stock taken later, without looking again."""

from shared.shop.errors import OutOfStock
from shared.shop.tables import Item, LateTally


def promise(item: Item, quantity: int) -> None:
    """Raises OutOfStock unless there is enough at this moment. Nothing is taken: that is the mistake."""
    if item.stock < quantity:
        raise OutOfStock(f"Not enough in stock of: item {item.id}.")


def take(item: Item, tally: LateTally, quantity: int) -> None:
    """Takes what was promised as far as it is still there, and counts the rest as oversold. Both rows are locked."""
    there = min(item.stock, quantity)
    item.stock -= there
    tally.taken += there
    tally.oversold += quantity - there


def nothing(item_id: int) -> LateTally:
    """The tally of an item of which nothing was ever promised."""
    return LateTally(item_id=item_id, accepted=0, taken=0, oversold=0)
