"""How much a case may carry."""

MOST_TAGS = 30
MOST_FIELDS = 30
MOST_NOTE = 20_000  # characters
