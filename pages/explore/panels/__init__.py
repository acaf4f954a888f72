"""Parts of the pages Decode and Probe."""
