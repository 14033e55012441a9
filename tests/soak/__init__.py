"""The whole path in seven processes that are killed at random, until every mail is an interaction exactly once."""
