"""How much a case may carry."""

MOST_TAGS = 30
MOST_FIELDS = 30
