"""The menu "Download" at the head of every page: what a visitor may keep of it, as files."""
