"""What the Spaces share: one look, drawings of trees, marked differences, tables, and how an app is served.

Copied beside ``app.py`` when a Space is pushed (recipes/push_space.py). Knows of no Space.
"""
