"""A race on purpose: the answer is given now and the stock taken later, without checking again."""

from shared.shop.errors import OutOfStock
from shared.shop.tables import Item, LateTally


def promise(item: Item, quantity: int) -> None:
    """Raises OutOfStock unless there is enough at this moment. Nothing is reserved: that is the race."""
    if item.stock < quantity:
        raise OutOfStock(f"Not enough in stock of: item {item.id}.")


def take(item: Item, tally: LateTally, quantity: int) -> None:
    """Takes as much as is still in stock, and counts the rest as oversold. Both rows are locked."""
    there = min(item.stock, quantity)
    item.stock -= there
    tally.taken += there
    tally.oversold += quantity - there


def nothing(item_id: int) -> LateTally:
    """The tally of an item without promises."""
    return LateTally(item_id=item_id, accepted=0, taken=0, oversold=0)
