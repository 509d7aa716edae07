"""The pages, one a file: each adds its part to the `gradio.Blocks` that is open."""
