"""What the API reads beyond the ports that processing needs: lists and histories."""

from __future__ import annotations

MOST_ROWS = 200
"""Rows of a list in one answer; older ones are reached by narrowing the question."""
