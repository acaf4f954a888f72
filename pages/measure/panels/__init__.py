"""Parts of the likelihood page, each one idea: a function that draws it for the model and image in use."""
