"""The demonstration: mails of our own making go the whole way on one machine, and what happened is told."""
