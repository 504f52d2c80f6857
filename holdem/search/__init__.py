"""Solving a situation by itself: whole ranges over the betting that is still to come."""
