"""Tables of facts that come with the product."""
