"""What was explored, handed over to programs that put load on a server: a k6 script, a Locust user."""
