"""The client behind proxies: forwarded headers count only if they come from a trusted proxy."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_Address = IPv4Address | IPv6Address
UNIX = "unix"


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The networks that trusted proxies are in; `unix`: peers on a Unix socket are trusted too."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    def __bool__(self) -> bool:
        """Whether any are trusted."""
        return self.unix or bool(self.networks)

    def trust(self, address: _Address | None) -> bool:
        """Whether the proxy at an address is trusted; None is a peer without an address."""
        if address is None:
            return self.unix
        return any(address in network for network in self.networks)


NO_PROXIES = TrustedProxies()


def trusted_proxies(listed: str) -> TrustedProxies:
    """The networks (or single addresses) in a list with commas; `unix` may be among them. Raises ValueError."""
    names = {name.strip() for name in listed.split(",")} - {""}
    networks = sorted(names - {UNIX})
    return TrustedProxies(tuple(ip_network(name, strict=False) for name in networks), UNIX in names)


def client_address(trusted: TrustedProxies, peer: str, forwarded_for: str | None) -> str:
    """The address of the client, "" when it has none.

    forwarded_for: X-Forwarded-For. Read from the right, for there the nearest proxy wrote; the first address that is
    no trusted proxy's is the client's. An invalid address ends the list: what is left of it cannot be trusted.
    """
    client = _parsed(peer)
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        before = _parsed(hop.strip())
        if before is None or not trusted.trust(client):
            break
        client = before
    return "" if client is None else str(client)


def came_by_https(trusted: TrustedProxies, peer: str, forwarded_proto: str | None) -> bool:
    """Whether a trusted proxy says that the client came by https; forwarded_proto: X-Forwarded-Proto."""
    if not forwarded_proto or not trusted.trust(_parsed(peer)):
        return False
    return forwarded_proto.rpartition(",")[2].strip().lower() == "https"


def _parsed(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
