"""Which network addresses may be connected to on behalf of a request, and connecting to no other.

A name is resolved once, every address it gives is judged, and the socket is opened to a judged address, never to the
name: a resolver that answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from rag.errors import InvalidRequestError, UnreadableError

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to addresses as text; raises OSError."""

Permits = Callable[[str], bool]
"""Whether an address may be connected to."""

# Addresses of version 6 that carry one of version 4 to some gateway.
_TRANSLATED = IPv6Network("64:ff9b::/96")
_LOCALLY_TRANSLATED = IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = IPv6Network("::/96")
_SITE_LOCAL = IPv6Network("fec0::/10")
# Not public, whatever the present Python says of them: protocol assignments, relays of 6to4, documentation, and Azure's
# address of the machine's own host.
_NOT_PUBLIC = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20", "5f00::/16")))


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet: not private, loopback, link-local, reserved, multicast, shared
    or a documentation address, in any of the forms that wrap one.
    """
    try:
        found = ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return _is_public(found.ipv4_mapped)
        if found in _TRANSLATED:
            return _is_public(IPv4Address(int(found) & 0xFFFFFFFF))
        if found.sixtofour is not None or found.teredo is not None:
            return False  # tunnels: whatever they end at, no server needs them today
        if found in _COMPATIBLE or found in _LOCALLY_TRANSLATED or found in _SITE_LOCAL:
            return False
    return _is_public(found)


def _is_public(found: IPv4Address | IPv6Address) -> bool:
    if any(found in network for network in _NOT_PUBLIC if network.version == found.version):
        return False
    hidden = found.is_private or found.is_loopback or found.is_link_local or found.is_reserved or found.is_unspecified
    return found.is_global and not hidden and not found.is_multicast


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(facts[4][0]) for facts in found))


def connect(host: str, port: int, *, resolve: Resolve, permits: Permits, deadline: float) -> socket.socket:
    """A socket to a host, at an address that is permitted. `deadline`: on the monotonic clock.

    Raises:
        InvalidRequestError: one of its addresses is not permitted (code "url_not_allowed").
        UnreadableError: the host is not found, or does not answer (code "url_failed").
    """
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise UnreadableError(f"The host {host} is not found.", code="url_failed") from error
    # all of them, not the first that will do: a name that mixes public and private addresses is up to something
    if not addresses or not all(permits(address) for address in addresses):
        raise InvalidRequestError(f"The host {host} is not at a public address.", code="url_not_allowed")
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            opened = socket.create_connection((address, port), timeout=left)
        except OSError:
            continue
        if permits(str(opened.getpeername()[0])):
            return opened
        opened.close()
        raise InvalidRequestError(f"The host {host} is not at a public address.", code="url_not_allowed")
    raise UnreadableError(f"The host {host} does not answer.", code="url_failed")
