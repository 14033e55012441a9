"""Postroom: the serverless e-mail channel for contact centres."""
