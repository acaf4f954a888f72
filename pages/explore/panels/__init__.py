"""Parts of the decode page, each one idea: a function that draws it for the model, image and z in use."""
