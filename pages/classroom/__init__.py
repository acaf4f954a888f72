"""A class on one server: roles, permissions, and what the lecturer controls."""
