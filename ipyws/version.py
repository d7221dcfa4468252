"""The version of ipyws, once."""

__version__ = "0.1.0"
