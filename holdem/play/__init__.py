"""At the table: the wire protocol, the dealer, an agent in a seat, and sessions."""
