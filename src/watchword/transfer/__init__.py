"""Whole databases on their way to another one, of either engine: the file of an export, made and read in."""
