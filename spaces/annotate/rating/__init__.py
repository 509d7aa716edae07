"""The human evaluation: who rates what (`desk`), what raters read (`guidelines`, `cards`), the pages."""
