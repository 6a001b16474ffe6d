"""Attacks by their numbers, each sent through a public door, each with a twin that is let in."""
