"""Use cases, a room for each field of work; what they need from outside comes through ports."""
