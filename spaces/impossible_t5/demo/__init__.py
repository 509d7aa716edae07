"""The demo: a loaded student with its critics (`studio`), what is shown of its answers (`cards`), the pages."""
