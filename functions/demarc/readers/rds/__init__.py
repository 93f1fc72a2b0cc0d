"""RDS, one module per resource type, by the last word of its name."""
