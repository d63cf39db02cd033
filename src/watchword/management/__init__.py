"""The management API: the resource manager's wire over the rules of `resources`, for operators."""
