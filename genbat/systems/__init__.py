"""Published methods, rebuilt: one file each, composing families and a domain."""
