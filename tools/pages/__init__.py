"""Write the pages of docs/formats from the rows that do the reading."""
