"""Cards, rules and the betting tree."""
