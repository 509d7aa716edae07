"""What is evaluated: one system a file, each a dataclass whose fields are its settings."""
