"""Which unit sees which variant: a hash, the same in the file, the service and any other language."""
