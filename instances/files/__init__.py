"""What is read and written: instance and plan files, their schema, documents, units."""
