"""Who may call: resources and their access keys."""
