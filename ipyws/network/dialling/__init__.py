"""From a URL to a socket: names, proxies, TLS, redirects, and why it failed."""
