"""Parts of the Train page: what to train, what can be asked of a training, and how it stands."""
