"""Hands grouped into buckets over the whole deck."""
