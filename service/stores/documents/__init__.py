"""Supporting documents: their content in a folder, sealed, and of which authorization they are."""
