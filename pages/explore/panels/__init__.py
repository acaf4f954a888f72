"""Parts of the Decode page, each a function of the model in use that draws itself."""
