"""The menu "Download" beside the title of every page: its contents as files."""
