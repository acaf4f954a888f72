"""The menu "Take away" at the head of every page: what a visitor may keep of it, as files."""
