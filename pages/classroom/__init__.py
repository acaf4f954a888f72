"""A class on one server: who is who, what each may do, and what the lecturer sets."""
