"""No-limit Texas hold'em strategies: compute them, judge them, play them."""

__version__ = "0.1.0"
