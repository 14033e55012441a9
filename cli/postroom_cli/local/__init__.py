"""The local runner: the template's resources in a local AWS, and the real handlers driven from them."""
