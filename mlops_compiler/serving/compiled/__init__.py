"""One row through a release without a table: the same bits as the batch path, or the batch path itself."""
