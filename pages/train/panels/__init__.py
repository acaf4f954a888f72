"""Parts of the pages Train, Data and Models, one per file."""
