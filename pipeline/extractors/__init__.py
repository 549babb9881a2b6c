"""What is read in a paper: a module for each table, and one for names, which two tables share."""
