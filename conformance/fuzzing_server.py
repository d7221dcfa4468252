"""The fuzzing server of the Autobahn test suite, on loopback only; for Python 2.7, so without annotations.

The suite's own command listens on every interface. The arguments are those of its `wstest`.
"""

import sys

from autobahntestsuite import wstest  # installs the reactor, so it comes before any other part of Twisted
from twisted.internet import reactor

_listen = reactor.listenTCP


def listen_on_loopback(port, factory, backlog=50, interface=""):
    """Do what `reactor.listenTCP` does, on 127.0.0.1 whatever the interface."""
    return _listen(port, factory, backlog, "127.0.0.1")


if __name__ == "__main__":
    reactor.listenTCP = listen_on_loopback
    sys.argv[0] = "wstest"
    wstest.run()
